package protocol

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func labels(runs []Run) []string {
	var out []string
	for _, r := range runs {
		out = append(out, fmt.Sprintf("%s#%d", r.Arm.Name, r.Repeat))
	}
	return out
}

func TestPlan(t *testing.T) {
	p, err := Load("account")
	if err != nil {
		t.Fatal(err)
	}
	one := labels(p.Plan([]byte("one")))
	if len(one) != 20 || one[0] != "none#1" || one[1] != "A#1" || one[19] != "G#1" {
		t.Fatalf("the plan is %v", one)
	}
	if again := labels(p.Plan([]byte("one"))); !slices.Equal(one, again) {
		t.Error("the same seed gives another order")
	}
	sorted := slices.Sorted(slices.Values(one))
	// The lot must not favour anybody: B goes before D as often as after it, by far and large.
	first := 0
	const lots = 400
	for i := range lots {
		other := labels(p.Plan([]byte{byte(i), byte(i >> 8)}))
		if !slices.Equal(slices.Sorted(slices.Values(other)), sorted) {
			t.Fatalf("another order runs other arms: %v", other)
		}
		if slices.Index(other, "B#3") < slices.Index(other, "D#3") {
			first++
		}
	}
	if first < lots/2-60 || first > lots/2+60 {
		t.Errorf("B goes before D in %d of %d lots", first, lots)
	}
	if lasts := p.Lasts(); lasts > 90*time.Second {
		t.Errorf("the protocol account watches for %s, and is to take less than three minutes", lasts)
	}
	// Without roles all stays as it stands in the file.
	p, err = Parse("p.yaml", []byte("name: x\nrepeats: 2\narms:\n- {name: b, phases: [{name: i, act: install}]}\n- {name: a, phases: [{name: i, act: install}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := labels(p.Plan([]byte("one"))); !slices.Equal(got, []string{"b#1", "a#1", "b#2", "a#2"}) {
		t.Errorf("the plan is %v", got)
	}
}

func TestRoleErrors(t *testing.T) {
	const (
		launch = "phases: [{name: i, act: install}, {name: u, act: launch}]"
		a      = "- {name: A, role: A, " + launch + "}\n"
	)
	for name, c := range map[string]struct{ arms, want string }{
		"unknown role":      {"- {name: A, role: X, " + launch + "}\n", `p.yaml:3:19: unknown role "X"`},
		"unknown source":    {a + "- {name: C, role: C, change: ssiad, " + launch + "}\n", `p.yaml:4:30: unknown source "ssiad"; did you mean "ssaid"?`},
		"change what":       {a + "- {name: C, role: C, " + launch + "}\n", "p.yaml: arm C: it has the role C and does not say what is changed"},
		"change in B":       {a + "- {name: B, role: B, change: ssaid, " + launch + "}\n", "p.yaml: arm B: only an arm with the role C changes a source"},
		"changed twice":     {a + "- {name: C, role: C, change: ssaid, " + launch + "}\n- {name: E, role: C, change: ssaid, " + launch + "}\n", "p.yaml: arm E: arm C changes ssaid already"},
		"two of a role":     {a + "- {name: B, role: B, " + launch + "}\n- {name: E, role: B, " + launch + "}\n", "p.yaml: arm E: another arm has the role B already"},
		"A again":           {"- {name: A, role: A, repeats: 2, " + launch + "}\n", "p.yaml: arm A: the identity X is there for the first time only once"},
		"no A":              {"- {name: B, role: B, " + launch + "}\n", "p.yaml: there is no arm with the role A"},
		"D without B":       {a + "- {name: D, role: D, " + launch + "}\n", "p.yaml: there is an arm with the role D and none with B"},
		"some without":      {a + "- {name: q, " + launch + "}\n", "p.yaml: some arms have a role and some have none"},
		"F restarts":        {a + "- {name: F, role: F, " + launch + "}\n", "p.yaml: arm F: it has the role F and restarts nothing"},
		"G signs up":        {a + "- {name: G, role: G, " + launch + "}\n", "p.yaml: arm G: it has the role G and nobody signs up"},
		"N installs":        {a + "- {name: N, role: N, " + launch + "}\n", "p.yaml: arm N: it has the role N and installs the app"},
		"never started":     {a + "- {name: B, role: B, phases: [{name: i, act: install}]}\n", "p.yaml: arm B: it never starts the app"},
		"repeats below one": {a + "- {name: B, role: B, repeats: -1, " + launch + "}\n", "p.yaml: arm B: repeats is -1"},
		"signing up unseen": {"- {name: A, phases: [{name: i, act: install}, {name: s, act: sign-up}]}\n", "p.yaml: arm A: phase s: the app must be launched first"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte("name: x\narms:\n"+c.arms))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s…", err, c.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for _, r := range Roles() {
		if Role(r).Words() == "" {
			t.Errorf("role %s has no words", r)
		}
	}
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		words := p.Words()
		for _, a := range p.Arms {
			if !strings.Contains(words, "\nArm "+a.Name+", ") {
				t.Errorf("%s: arm %s is not told", name, a.Name)
			}
		}
		for _, want := range map[string][]string{"account": {"drawn by lot", "5 times: role B, X again", "with one source changed: the Android ID (SSAID).", "a person signs up in the app's own form; then 3s are watched."}}[name] {
			if !strings.Contains(words, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, words)
			}
		}
	}
}
