package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/probe"
	"github.com/unasked-audit/unasked/internal/chromium"
)

const form = `<!doctype html><title>Find your account</title><form action=/answer><input id=email name=email><button>Find</button></form>`

// TestAnswers asks real pages in a real Chromium: one that knows the canary and not the
// decoy, one behind a captcha, one that is limited, one that is slow, and one that is down.
func TestAnswers(t *testing.T) {
	if _, err := chromium.Find(""); err != nil {
		t.Skip(err)
	}
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	seed := []byte("a seed for probes")
	person, decoy := canary.Derive(seed, "X"), canary.Decoys(seed, "X")
	release := make(chan struct{})
	mux := http.NewServeMux()
	agent := ""
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) { agent = r.UserAgent(); fmt.Fprint(w, form) })
	mux.HandleFunc("/answer", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("email") == person.Value(canary.Email) {
			fmt.Fprint(w, `<p>We sent you   a <b>link</b>`)
			return
		}
		fmt.Fprint(w, `<p id=none>No account<p style="display:none">We sent you a link`)
	})
	mux.HandleFunc("/captcha", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<div class=g-recaptcha style="width:300px;height:80px">I am no robot</div>`)
	})
	mux.HandleFunc("/often", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	site := httptest.NewServer(mux)
	defer site.Close()
	defer close(release)
	down := httptest.NewServer(mux)
	down.Close()

	for _, c := range []struct {
		name, url, selector string
		id                  canary.Identity
		want                probe.Answer
		says                string
	}{
		{"known", site.URL + "/form", "#email", person, probe.Exists, `the text "we sent you a link"`},
		{"decoy", site.URL + "/form", "#email", decoy, probe.Not, "#none"},
		{"captcha", site.URL + "/captcha", "#email", person, probe.Blocked, "Google reCAPTCHA"},
		{"rate limit", site.URL + "/often", "#email", person, probe.Blocked, "429"},
		{"nowhere", site.URL + "/form", "#phone", person, probe.Unknown, "step 1 (fill #phone): nothing on the page matches the selector"},
		{"no selector", site.URL + "/form", "#[", person, probe.Unknown, "no CSS selector"},
		{"slow", site.URL + "/slow", "#email", person, probe.Unknown, "did not answer within 1s"},
		{"down", down.URL + "/form", "#email", person, probe.Unknown, "nothing listens there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			patience := "20s" // a busy machine is slow; what never comes is not waited for that long
			if c.want == probe.Unknown || c.name == "captcha" {
				patience = "1s"
			}
			p, err := probe.Parse("p.yaml", []byte(fmt.Sprintf(`
name: find
url: %s
patience: %s
steps:
- {fill: %q, with: "${canary.email}"}
- {press: Enter}
- wait:
    exists: [{text: we sent you a link}]
    does-not-exist: [{selector: "#none"}]
`, c.url, patience, c.selector)))
			if err != nil {
				t.Fatal(err)
			}
			r, err := probe.Run(t.Context(), p, c.id, probe.Options{Barriers: kb.Barriers, Tool: "unasked test"})
			if err != nil {
				t.Fatal(err)
			}
			if r.Answer != c.want || !strings.Contains(r.Because, c.says) {
				t.Errorf("%s: %s (%q); want %s: %s", r.Answer, r.Because, r.Sign, c.want, c.says)
			}
			if c.want == probe.Exists && (len(r.Pictures) < 2 || !strings.Contains(r.HTML, "link") || len(r.Requests) < 2 || r.Status != 200) {
				t.Errorf("%d pictures, %d requests, status %d, page %.60q", len(r.Pictures), len(r.Requests), r.Status, r.HTML)
			}
		})
	}
	if !strings.Contains(agent, "automated test with canary data") {
		t.Errorf("the probe called itself %q", agent)
	}
}
