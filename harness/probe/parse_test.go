package probe_test

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/probe"
)

const good = `name: find-account
url: https://www.example.com/find
steps:
  - fill: "#email"
    with: ${canary.email}
  - click: button
  - wait:
      exists:
        - text: We sent a link
      does-not-exist:
        - selector: "#none"
`

// TestRefuses: each mistake is named with its place.
func TestRefuses(t *testing.T) {
	if _, err := probe.Parse("p.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, says string }{
		{"click:", "clik:", `p.yaml:6:5: unknown key "clik"; did you mean "click"?`},
		{"${canary.email}", "${canary.emial}", "p.yaml:5:11: unknown reference ${canary.emial}; did you mean ${canary.email}?"},
		{"${canary.email}", "somebody@example.org", "p.yaml:5:11: a probe enters nothing but canaries"},
		{"click: button", "press: Entre", `p.yaml:6:12: unknown key "Entre"; did you mean "Enter"?`},
		{"https://www.example.com/find", "www.example.com", "p.yaml:2:6:"},
		{"https://www", "https://me:secret@www", "user name or a password"},
		{"    with: ${canary.email}\n", "", "fills #email with nothing"},
		{"      does-not-exist:\n        - selector: \"#none\"\n", "", `"wait" needs signs of both`},
		{"name: find-account\n", "", "the probe has no name"},
	} {
		_, err := probe.Parse("p.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %s", c.new, err, c.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := probe.Parse("p.yaml", data); err == nil && (p.Name == "" || len(p.Steps) == 0) {
			t.Error("an empty probe was taken")
		}
	})
}
