package webview

import "github.com/chromedp/cdproto/cdp"

// The Console domain is the one way to read a console that a page cannot
// notice: Runtime.enable, which took its place, reads properties of what is
// logged. The generated protocol no longer has it.
var (
	consoleEnable       = cdp.Command[cdp.Empty, cdp.Empty]{Method: "Console.enable"}
	consoleMessageAdded = cdp.Event[consoleMessage]{Method: "Console.messageAdded"}
)

type consoleMessage struct {
	Message struct {
		Source string `json:"source"`
		Level  string `json:"level"`
		Text   string `json:"text"`
		URL    string `json:"url"`
		Line   int    `json:"line"`
	} `json:"message"`
}
