package recognise

import (
	"fmt"
	"slices"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
)

// Numbers as people write them, and what only looks like them.
func TestNumbersInGroups(t *testing.T) {
	n, o := tools(t)
	phone, imei := person.Value(canary.Phone), person.Value(canary.IMEI) // +1 and ten digits
	a, b, c := phone[2:5], phone[5:8], phone[8:]
	told := func(text, kind string) bool {
		return slices.ContainsFunc(hitsIn(n, o, body(fmt.Sprintf(`{"note":%q}`, text))), func(h Hit) bool { return h.Kind == kind })
	}
	for _, v := range []string{
		"(" + a + ") " + b + "-" + c, "+1 " + a + " " + b + " " + c, "+1-" + a + "-" + b + "-" + c, a + "." + b + "." + c,
		"001 " + a + "/" + b + c, "call " + a + "\u00a0" + b + "\u2011" + c + " at 12:30", "2026-11-24 " + a + "-" + b + "-" + c + " 17",
	} {
		if !told(v, string(canary.Phone)) {
			t.Errorf("%q was not found", v)
		}
	}
	for _, v := range []string{imei[:2] + "-" + imei[2:8] + "-" + imei[8:14] + "-" + imei[14:], imei[:8] + " " + imei[8:]} {
		if !told(v, string(canary.IMEI)) {
			t.Errorf("%q was not found", v)
		}
	}
	for _, v := range []string{
		a + "-" + b + "-" + c + "7", "9" + a + "-" + b + "-" + c, a + "-" + b + "-" + c[:3], a + "     " + b + c, "x" + a + "-" + b + "-" + c + "f", a + "," + b + "," + c,
	} {
		if told(v, string(canary.Phone)) {
			t.Errorf("%q is no phone number of the canary's", v)
		}
	}
}
