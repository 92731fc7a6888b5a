// Package webview runs apps whose behaviour is web assets on Chromium, as
// Android's WebView does: [New] makes an android.Runtime.
//
// Each app has one Chromium process of its own, with a profile under its data
// directory, so that cookies and storage are real files, TLS and HTTP/2 are a
// real client's, a tap is a real input event and a screenshot a real picture.
// Only https://appassets.androidplatform.net, where the app's own assets and
// the bridge to the platform are, is answered by this package; everything else
// goes through Chromium's network stack untouched, either to the proxy that the
// device's settings name or to the device's internet. The app is taken to be
// hostile: what it can reach is its own profile, the bridge and the network.
package webview

import (
	"context"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// Options is what a runtime needs.
type Options struct {
	// Chromium is the browser to run. When it is empty, UNASKED_CHROMIUM names
	// it, or else it is looked for on PATH.
	Chromium string
	// Internet is what an app reaches when the device has no proxy; nil for nothing.
	Internet *internet.Internet
	// Console, if not nil, gets what pages write to their console, for logcat.
	// An app's lines come one after the other. It must not block.
	Console func(Message)
}

// Message is a line that a page wrote to its console.
type Message struct {
	Package string
	PID     int
	Level   string // "debug", "info", "warning", "error"
	Text    string
	Source  string // URL of the script
	Line    int    // from 1; 0 when unknown
}

// New returns a runtime on Chromium. The browser is looked for when an app is
// started, so that a device without one works until then.
func New(o Options) android.Runtime { return &engine{options: o} }

type engine struct {
	options Options
	stores  stores
}

func (e *engine) Start(ctx context.Context, launch android.Launch) (android.Process, error) {
	p, err := e.start(ctx, launch)
	if err != nil {
		return nil, err // not a nil *process in an interface
	}
	return p, nil
}
