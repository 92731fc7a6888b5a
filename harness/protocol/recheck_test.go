package protocol

import (
	"strings"
	"testing"
)

func TestRecheckDelays(t *testing.T) {
	const rest = "\narms:\n- name: A\n  phases: [{name: i, act: install}, {name: l, act: launch, lasts: 1s}]\n"
	p, err := Parse("p.yaml", []byte("name: p\nrecheck: [7d, 36h, 24h, 90m]"+rest))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range p.Recheck {
		got = append(got, d.String())
	}
	if strings.Join(got, " ") != "7d 36h 1d 90m" {
		t.Errorf("%v", got)
	}
	for _, bad := range []string{"7", "0d", "-7d", "7d12h", "1w", "3651d", "99999d", "1.5d", "7 d", "d", "7D"} {
		if _, err := Parse("p.yaml", []byte("name: p\nrecheck: ["+bad+"]"+rest)); err == nil || !strings.Contains(err.Error(), "p.yaml:2:11") {
			t.Errorf("recheck: %s: %v", bad, err)
		}
	}
}
