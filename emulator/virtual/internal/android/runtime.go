package android

import (
	"context"
	"encoding/json"
	"image"
	"io/fs"
)

// Runtime runs apps whose behaviour is web assets. Package webview implements
// it on Chromium; the framework knows no browser.
type Runtime interface {
	// Start launches an app and returns once its first page was asked for. The
	// error says what is missing, such as a browser, and what to do.
	Start(ctx context.Context, launch Launch) (Process, error)
}

// Launch is what a runtime needs to know of the app that it starts.
type Launch struct {
	Package string
	Label   string
	UID     int
	PID     int    // as the device numbers its processes
	DataDir string // host path of /data/data/PACKAGE; the browser's profile is DataDir/app_webview
	Assets  fs.FS  // the APK's assets directory
	Entry   string // path within Assets of the first page, such as "www/index.html"
	Bridge  Bridge // answers the page's calls to the platform
	Device  Surroundings
}

// Surroundings is what a device lends to an app's browser.
type Surroundings struct {
	Screen    image.Point // pixels
	Density   float64     // pixels per CSS pixel
	UserAgent string
	Locale    string // BCP 47
	TimeZone  string
	// Proxy is the host's address of the HTTP proxy that the device's settings
	// name, "127.0.0.1:PORT", already translated through adb reverse; empty for none.
	Proxy string
	// Authorities are the PEM certificates in the device's system trust store.
	Authorities [][]byte
}

// Bridge is the platform as a page sees it, through the object AndroidBridge.
type Bridge interface {
	// Call answers one method synchronously. The result must marshal to JSON; a
	// string comes to the page as a string. An error becomes a JavaScript
	// exception with its text.
	Call(ctx context.Context, method string, args []json.RawMessage) (any, error)
}

// Process is a running app.
type Process interface {
	// Done is closed when the app has ended, whatever ended it.
	Done() <-chan struct{}
	// Stop ends the app and waits until its browser is gone.
	Stop(ctx context.Context) error
	// SetForeground tells the page whether it is visible, as Android's onPause and onResume do.
	SetForeground(ctx context.Context, on bool) error
	// Emit dispatches a CustomEvent of that name with that detail on the page's window.
	Emit(ctx context.Context, event string, detail any) error
	// Prompt shows a system dialog over the app, outside the app's reach, and
	// returns the index of the button that was tapped, or -1 when the app ended.
	Prompt(ctx context.Context, p Prompt) (int, error)
	// Tap, Swipe, Text and Key are real input events. Key takes a DOM key name such as "Enter".
	Tap(ctx context.Context, x, y int) error
	Swipe(ctx context.Context, from, to image.Point, millis int) error
	Text(ctx context.Context, s string) error
	Key(ctx context.Context, key string) error
	// Back goes back in the page's history and reports whether there was anywhere to go.
	Back(ctx context.Context) (bool, error)
	// Screenshot is a PNG of what is on the screen, the prompt included.
	Screenshot(ctx context.Context) ([]byte, error)
	// Tree is what is on the screen, for uiautomator; bounds are in device pixels.
	Tree(ctx context.Context) (*Node, error)
	// DevTools is the host's address of the browser's debugging port, for the
	// abstract socket webview_devtools_remote_PID.
	DevTools() string
	// Traffic is the bytes that went through the app's sockets since it started.
	Traffic() (sent, received uint64)
}

// Prompt is a system dialog, such as a request for a permission.
type Prompt struct {
	Package string // resource owner, such as com.android.permissioncontroller
	Message string
	Buttons []PromptButton
}

// PromptButton is one of a prompt's buttons.
type PromptButton struct {
	ID   string // resource id, such as com.android.permissioncontroller:id/permission_allow_button
	Text string
}

// Node is one node of a screen, as uiautomator prints it.
type Node struct {
	Class, Package, ResourceID, Text, Desc, Hint                                     string
	Bounds                                                                           image.Rectangle // device pixels
	Clickable, Checkable, Checked, Enabled, Focusable, Focused, Scrollable, Password bool
	Children                                                                         []*Node
}
