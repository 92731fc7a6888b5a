package webview

import (
	"regexp"

	"github.com/chromedp/cdproto/emulation"
)

var (
	agentChrome  = regexp.MustCompile(`Chrome/((\d+)[\d.]*)`)
	agentAndroid = regexp.MustCompile(`Android ([\d.]+); ([^;)]*?)(?: Build/[^;)]*)?(?:; wv)?\)`)
)

// hints says in client hints (https://wicg.github.io/ua-client-hints/) what a
// WebView's user agent says in words.
func hints(agent string) *emulation.UserAgentMetadata {
	m := &emulation.UserAgentMetadata{Platform: "Android", Mobile: true}
	if a := agentAndroid.FindStringSubmatch(agent); a != nil {
		m.PlatformVersion, m.Model = a[1], a[2]
	}
	if c := agentChrome.FindStringSubmatch(agent); c != nil {
		for _, brand := range []string{"Android WebView", "Chromium"} {
			m.Brands = append(m.Brands, &emulation.UserAgentBrandVersion{Brand: brand, Version: c[2]})
			m.FullVersionList = append(m.FullVersionList, &emulation.UserAgentBrandVersion{Brand: brand, Version: c[1]})
		}
		grease := &emulation.UserAgentBrandVersion{Brand: "Not/A)Brand", Version: "8"}
		m.Brands = append(m.Brands, grease)
		m.FullVersionList = append(m.FullVersionList, &emulation.UserAgentBrandVersion{Brand: "Not/A)Brand", Version: "8.0.0.0"})
	}
	return m
}
