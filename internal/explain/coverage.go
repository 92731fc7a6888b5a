package explain

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// plain is the confidence from which on a finding needs no word about it.
const plain = 0.9

// Share writes thousandths as a percentage: "97.3 %". Only all is "100 %".
func Share(perMille int) string {
	if perMille%10 == 0 {
		return fmt.Sprintf("%d %%", perMille/10)
	}
	return fmt.Sprintf("%d.%d %%", perMille/10, perMille%10)
}

// Coverage says in a sentence how much of what the app sent was read.
func Coverage(c judge.Coverage) string {
	if c.Clear+c.Unread+c.Missing == 0 {
		return "nothing was sent that could be counted"
	}
	parts := []string{Bytes(c.Clear) + " captured in the clear", Bytes(c.Unread) + " captured and not readable"}
	if !c.Counted {
		return fmt.Sprintf("%s of what came by was read: %s; the device's kernel did not count, so what passed by is not known", Share(c.PerMille), strings.Join(parts, ", "))
	}
	s := fmt.Sprintf("%s of what the app sent was read: %s, %s counted by the kernel and never seen", Share(c.PerMille), strings.Join(parts, ", "), Bytes(c.Missing))
	if c.PerMille < c.Wanted {
		s += fmt.Sprintf("; less than the %s that the protocol asks for", Share(c.Wanted))
	}
	return s
}

// Sure says how sure a finding about an identifier is, and why: "97 % sure: the value
// stands there with about 63 bits". It is empty for other findings.
func Sure(f judge.Finding) string {
	if f.Confidence == 0 {
		return ""
	}
	s := fmt.Sprintf("%d %% sure", int(f.Confidence*100+0.5))
	if f.Possible {
		s += ", so it violates nothing by itself"
	}
	if f.Reason != "" {
		s += ": " + inert.Line(f.Reason, 400)
	}
	return s
}
