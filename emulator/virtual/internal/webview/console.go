package webview

import (
	"strings"

	"github.com/chromedp/cdproto/cdp"
)

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

// logged hands a console message to the device's log.
func (p *process) logged(m consoleMessage) {
	level := m.Message.Level
	switch level {
	case "debug", "error", "warning":
	default:
		level = "info"
	}
	// Of an error that nobody caught the domain says no more than that. The
	// browser prints it in full; see uncaught.
	if m.Message.Source == "javascript" && strings.HasPrefix(m.Message.Text, "Uncaught") {
		return
	}
	p.write(Message{Level: level, Text: m.Message.Text, Source: m.Message.URL, Line: m.Message.Line})
}

// uncaught hands an error that no script caught to the device's log.
func (p *process) uncaught(text, source string, line int) {
	p.write(Message{Level: "error", Text: text, Source: source, Line: line})
}

func (p *process) write(m Message) {
	if p.console == nil {
		return
	}
	m.Package, m.PID = p.launch.Package, p.launch.PID
	p.logging.Lock()
	defer p.logging.Unlock()
	p.console(m)
}
