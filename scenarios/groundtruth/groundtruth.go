// Package groundtruth is a world in which it is known who creates accounts: small
// services, each with a label, and apps that talk to them. It measures whether the
// judge sees what is there and nothing else.
//
// [Services] lists them: those that the signatures describe, in the shape of their
// documents, some that no signature describes, and the traps, which look like an
// account and are none. [World.Play] lets the app of one service run on a person's phone
// in arms: A, then B with the same identity after an uninstall, then D as somebody else; and
// where it matters whether an account comes back, B five times, D twice, and twice each
// with one identifier changed. All goes through the capture proxy into evidence, and from
// there to the judge, as an audit's would. [Matrix] compares what it says with the labels.
//
// What is real here and what is not. The services are handlers on the embedded
// device's internet, written after the vendors' documents and SDKs; the vendors' own
// servers may answer with more. Where a Page is named, the app is the vendor's
// JavaScript SDK from npm in a real Chromium, with a storage of its own for each
// installation; else it is a script over a real HTTP client that sends what the SDK's
// documents say. There is no Android: installing is an empty storage, a
// backup is one that is kept, and what tells the arms apart is the identity that
// the script reads. The evidence has the events that an audit writes for these. A
// label is not only declared: the services write into a [Ledger] what they create,
// and a play whose ledger tells another story than the label is an error.
package groundtruth

import (
	"net/http"
	"slices"
	"strings"
)

// Label is what a service issues: the most that it issues.
type Label string

// The labels, from nothing upwards.
const (
	Nothing      Label = "nothing"
	Installation Label = "installation" // an id of an installation or a device
	Session      Label = "session"      // a guest session
	Account      Label = "account"      // a user-level principal
)

// Labels are all labels, in the order of a matrix.
var Labels = []Label{Account, Session, Installation, Nothing}

// Service is a service with the app that uses it.
type Service struct {
	Name  string // unique
	About string // what it is, and why it has its label
	Label Label
	// Signature is the id that the service is to be known by; empty where only
	// behaviour tells.
	Signature string
	// Hangs is the kind of identifier by which the account is found again after a
	// reinstall; empty where a reinstall gets another account, or none.
	Hangs string
	// Compare plays the arms often enough for the judge to tell whether the account comes
	// back; those of a service with Hangs always are.
	Compare bool
	// Backup keeps the app's storage over an uninstall, as Auto Backup does.
	Backup bool
	// Config stands in the app's own files, and App finds it in Phone.Config.
	Config map[string]string
	// Routes are the service's own state and endpoints: patterns of http.ServeMux with method
	// and host. It is called once for each play.
	Routes func(*Ledger) Routes
	// App is what the app does when it is started; nil for a Page.
	App func(*Phone)
	// Page is the JavaScript file under apps that is the app.
	Page string
}

// Routes are the endpoints of a service.
type Routes map[string]endpoint

// Services lists every service, by family. The list is made anew for each call.
func Services() []Service {
	return slices.Concat(firebase(), backends(), games(), consumer(), messaging(), sessions(), registrations(), own(), hardOwn(), traps())
}

// hosts are the names that the routes answer for, sorted.
func (r Routes) hosts() []string {
	var out []string
	for pattern := range r {
		_, rest, found := strings.Cut(pattern, " ")
		if !found {
			rest = pattern // for any method
		}
		host, _, _ := strings.Cut(rest, "/")
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// handler answers for all routes, and lets pages of other origins talk to them, as
// a native app could anyway.
func (r Routes) handler(l *Ledger) http.Handler {
	mux := http.NewServeMux()
	for pattern, e := range r {
		mux.Handle(pattern, e.with(l))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		h := w.Header()
		if from := q.Header.Get("Origin"); from != "" {
			h.Set("Access-Control-Allow-Origin", from)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Vary", "Origin")
		}
		if q.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", q.Header.Get("Access-Control-Request-Headers"))
			h.Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		q.Body = http.MaxBytesReader(w, q.Body, maxBody)
		mux.ServeHTTP(w, q)
	})
}

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20
