// Package apps holds the two calibration apps and the services behind them:
// [ClipShare], which does all that an audit looks for, and [Pantry], which looks
// like it and does none of it.
//
// An instrument that is to be believed must see everything in the first and
// nothing in the second, on the very device that is then used for another app. Both are real,
// signed APK files whose behaviour is web assets; their sources and the
// script that builds them lie beside this file, and README.md says what each
// does, request by request. An app's services are plain handlers on an
// [internet.Internet]. What they received they write into a [Ledger], so that
// a test can compare what an audit claims with what really arrived.
package apps

import (
	_ "embed"
	"fmt"

	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// App is a calibration app.
type App struct {
	Name    string // as a launcher shows it
	Package string
	APK     []byte

	origins func(*Ledger) ([]origin, error)
}

//go:embed clipshare.apk
var clipshareAPK []byte

//go:embed pantry.apk
var pantryAPK []byte

// ClipShare is the guilty app: untouched after its first launch it registers the
// device, creates an account, and sends identifiers to three companies; it goes on
// after a rejection, and uploads drafts that were discarded.
func ClipShare() App {
	return App{Name: "ClipShare", Package: "org.example.clipshare", APK: clipshareAPK, origins: clipshareOrigins}
}

// Pantry is the innocent app: it fetches content, and nothing of the person or the device leaves it unasked.
func Pantry() App {
	return App{Name: "Pantry", Package: "org.example.pantry", APK: pantryAPK, origins: pantryOrigins}
}

// All returns both apps, the guilty one first.
func All() []App { return []App{ClipShare(), Pantry()} }

// Serve registers the app's services on an internet. Their state, such as the
// accounts that they created, lives as long as the internet: it outlasts the app's being
// uninstalled. The ledger fills as requests come in.
func (a App) Serve(in *internet.Internet) (*Ledger, error) {
	ledger := &Ledger{}
	origins, err := a.origins(ledger)
	if err != nil {
		return nil, fmt.Errorf("services of %s: %w", a.Name, err)
	}
	for _, o := range origins {
		if err := in.Handle(o.host, o.handler); err != nil {
			return nil, fmt.Errorf("services of %s: %w", a.Name, err)
		}
	}
	return ledger, nil
}
