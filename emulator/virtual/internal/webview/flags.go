package webview

import (
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

// route is how an app's browser reaches the world.
type route struct {
	proxy string // host:port on loopback; empty for none
	rules string // Chromium's resolver rules, where there is no proxy
}

// flags is Chromium's whole command line for one app.
func flags(profile string, d android.Surroundings, r route) []string {
	size := cssSize(d)
	args := []string{
		"--headless",
		"--remote-debugging-pipe",   // for this package
		"--remote-debugging-port=0", // for whoever the device forwards to
		"--user-data-dir=" + profile,
		"--window-size=" + fmt.Sprintf("%d,%d", size.X, size.Y),
		"--hide-scrollbars",
		"--mute-audio",
		"--no-first-run",
		"--no-default-browser-check",
		"--no-startup-window", // the app's page is the first
		"--disable-dev-shm-usage",
		"--disable-extensions",
		"--disable-hang-monitor",
		"--password-store=basic",
		"--use-mock-keychain",
		// A page is to find what it would find in a WebView.
		"--disable-blink-features=AutomationControlled",
		// An Android WebView has one renderer for all frames of an app.
		"--disable-site-isolation-trials",
		// No traffic of the browser's own.
		"--disable-background-networking",
		"--disable-breakpad",
		"--disable-client-side-phishing-detection",
		"--disable-component-update",
		"--disable-default-apps",
		"--disable-domain-reliability",
		"--disable-field-trial-config",
		"--disable-sync",
		"--metrics-recording-only",
		"--no-pings",
		"--dns-prefetch-disable",
		// Nor does a WebView keep pages from local addresses, which is what all
		// origins have here; where they lead is for the rules below to say.
		"--disable-features=" + strings.Join([]string{
			"AutofillServerCommunication", "CertificateTransparencyComponentUpdater", "DialMediaRouteProvider",
			"BlockInsecurePrivateNetworkRequests", "InterestFeedContentSuggestions", "IsolateOrigins", "LocalNetworkAccessChecks", "MediaRouter", "NetworkTimeServiceQuerying",
			"OptimizationHints", "Translate", "site-per-process",
		}, ","),
		// What a proxy cannot see must not be: no QUIC, and no UDP from pages.
		"--disable-quic",
		"--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
		"--webrtc-ip-handling-policy=disable_non_proxied_udp",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to run as root with it
	}
	if r.proxy != "" {
		// Loopback goes through the proxy too: it is the host's, not the device's.
		args = append(args, "--proxy-server=http://"+r.proxy, "--proxy-bypass-list=<-loopback>",
			"--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE 127.0.0.1")
	} else {
		// Said, because Chromium would take one from the host's environment.
		args = append(args, "--no-proxy-server", "--host-resolver-rules="+r.rules)
	}
	if d.UserAgent != "" {
		args = append(args, "--user-agent="+d.UserAgent)
	}
	if d.Locale != "" {
		args = append(args, "--lang="+d.Locale, "--accept-lang="+acceptLanguages(d.Locale))
	}
	return args
}

// environment is the browser's whole environment: nothing of the host's that
// could tell an app where it runs.
func environment(home string, d android.Surroundings) []string {
	env := []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH")}
	if d.TimeZone != "" {
		env = append(env, "TZ="+d.TimeZone)
	}
	if d.Locale != "" {
		lang := strings.ReplaceAll(d.Locale, "-", "_")
		env = append(env, "LANG="+lang+".UTF-8", "LANGUAGE="+lang)
	}
	return env
}

// acceptLanguages is what a WebView asks for: the locale and its language.
func acceptLanguages(locale string) string {
	language, _, regional := strings.Cut(locale, "-")
	if !regional {
		return locale
	}
	return locale + "," + language
}

// density is the pixels per CSS pixel, 1 where none is given.
func density(d android.Surroundings) float64 {
	if d.Density <= 0 {
		return 1
	}
	return d.Density
}

// cssPoint is a size in CSS pixels.
type cssPoint struct{ X, Y int }

// cssSize is the screen in whole CSS pixels, none of the screen left out.
func cssSize(d android.Surroundings) cssPoint {
	f := density(d)
	return cssPoint{int(math.Ceil(float64(d.Screen.X) / f)), int(math.Ceil(float64(d.Screen.Y) / f))}
}
