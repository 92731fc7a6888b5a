package explain

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/judge"
)

func TestCoverage(t *testing.T) {
	for want, c := range map[string]judge.Coverage{
		"nothing was sent that could be counted": {PerMille: 1000},
		"100 % of what the app sent was read: 5 bytes captured in the clear, 0 bytes captured and not readable, 0 bytes counted by the kernel and never seen":                                                {Clear: 5, PerMille: 1000, Counted: true, Wanted: 800},
		"40 % of what the app sent was read: 4 bytes captured in the clear, 1 byte captured and not readable, 5 bytes counted by the kernel and never seen; less than the 99.5 % that the protocol asks for": {Clear: 4, Unread: 1, Missing: 5, PerMille: 400, Counted: true, Wanted: 995},
		"66.6 % of what came by was read: 2 bytes captured in the clear, 1 byte captured and not readable; the device's kernel did not count, so what passed by is not known":                                {Clear: 2, Unread: 1, PerMille: 666, Wanted: 800},
	} {
		if got := Coverage(c); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestSure(t *testing.T) {
	if got := Sure(judge.Finding{Confidence: 0.4, Possible: true, Reason: "a guess"}); got != "40 % sure, so it violates nothing by itself: a guess" {
		t.Error(got)
	}
	if Sure(judge.Finding{}) != "" {
		t.Error("a finding about no identifier has a confidence")
	}
	if got := Finding(judge.Finding{Claim: judge.IdentifierReturned, Host: "x.example", Confidence: 0.97, Reason: "long"}); strings.Contains(got, "sure") || !strings.Contains(got, "from x.example") {
		t.Error(got)
	}
}
