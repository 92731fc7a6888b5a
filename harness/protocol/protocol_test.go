package protocol

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEmbeddedProtocolsLoad(t *testing.T) {
	files, err := embedded.ReadDir("protocols")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Names()) {
		t.Errorf("%d files are embedded and %d names listed", len(files), len(Names()))
	}
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != name {
			t.Errorf("%s.yaml is named %q", name, p.Name)
		}
		if p.Title == "" || p.Purpose == "" || len(p.Source) == 0 {
			t.Errorf("%s lacks a title, a purpose or its source", name)
		}
	}
}

func TestQuickIsUnderAMinute(t *testing.T) {
	p, err := Load("quick")
	if err != nil {
		t.Fatal(err)
	}
	if p.Lasts() > 30*time.Second {
		t.Errorf("quick watches for %s", p.Lasts())
	}
}

func TestLoadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("name: mine\nrepeats: 2\narms:\n- name: A\n  phases:\n  - {name: i, act: install, lasts: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.Permissions != Granted || p.Lasts() != 2*time.Second {
		t.Errorf("loaded %+v, lasting %s", p, p.Lasts())
	}
}

func TestLoadUnknown(t *testing.T) {
	_, err := Load("quik")
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), `did you mean "quick"?`) {
		t.Errorf("error %v", err)
	}
	if _, err := Load("../../secret"); err == nil {
		t.Error("a path outside is a protocol")
	}
}

func TestErrors(t *testing.T) {
	phases := func(lines string) string { return "name: x\narms:\n- name: A\n  phases:\n" + lines }
	for name, c := range map[string]struct{ in, want string }{
		"wrong key":               {"name: x\nrepeat: 3\n", `p.yaml:2:1: unknown key "repeat"; did you mean "repeats"?`},
		"wrong act":               {phases("  - name: a\n    act: lunch\n"), `p.yaml:6:10: unknown act "lunch"; did you mean "launch"?`},
		"wrong permissions":       {"name: x\npermissions: grant\n", `p.yaml:2:14: unknown choice of permissions "grant"; did you mean "granted"?`},
		"wrong duration":          {phases("  - name: a\n    act: install\n    lasts: 5\n"), `p.yaml:7:12: "5" is no duration; write it like 500ms, 10s or 1m30s`},
		"negative duration":       {phases("  - name: a\n    act: install\n    lasts: -5s\n"), `p.yaml:7:12: "-5s" is no duration`},
		"endless":                 {phases("  - {name: a, act: install, lasts: 99999h}\n"), "p.yaml: arm A: phase a: it lasts 99999h0m0s; a phase may last a day at most"},
		"no number":               {"name: x\nrepeats: lots\n", `p.yaml:2:10: "lots" is no whole number`},
		"no such permissions":     {"name: x\npermissions: all\n", `p.yaml:2:14: unknown choice of permissions "all"; choose one of granted, ask`},
		"no name":                 {"title: x\n", "p.yaml: the protocol has no name"},
		"no arms":                 {"name: x\n", "p.yaml: the protocol has no arms"},
		"no repeats":              {"name: x\nrepeats: 0\n", "p.yaml: repeats is 0"},
		"no act":                  {phases("  - name: a\n"), "p.yaml: arm A: phase a: no act"},
		"two phases":              {phases("  - {name: a, act: install}\n  - {name: a, act: launch}\n"), `p.yaml: arm A: two phases are named "a"`},
		"launch before install":   {phases("  - {name: a, act: launch}\n"), "p.yaml: arm A: phase a: the app must be installed first"},
		"reject before launch":    {phases("  - {name: i, act: install}\n  - {name: a, act: reject}\n"), "p.yaml: arm A: phase a: the app must be launched first"},
		"baseline after install":  {phases("  - {name: i, act: install}\n  - {name: a, act: watch-without-app}\n"), "p.yaml: arm A: phase a: watch-without-app must come before"},
		"install a second time":   {phases("  - {name: i, act: install}\n  - {name: j, act: install}\n"), "p.yaml: arm A: phase j: the app is installed already"},
		"two arms of one name":    {"name: x\narms:\n- {name: A, phases: [{name: i, act: install}]}\n- {name: A, phases: [{name: i, act: install}]}\n", `p.yaml: two arms are named "A"`},
		"an arm without phases":   {"name: x\narms:\n- {name: A, phases: []}\n", "p.yaml: arm A: no phases"},
		"not a protocol but text": {"hello", "p.yaml:1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(c.in))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s…", err, c.want)
			}
		})
	}
}

func TestEveryActSaysWhatItDoes(t *testing.T) {
	for _, a := range Acts() {
		if Act(a).Words() == "" || Act(a).Purpose() == "" {
			t.Errorf("act %s has no words or no purpose", a)
		}
	}
}

func TestCoverage(t *testing.T) {
	rest := "arms:\n- name: A\n  phases:\n  - {name: i, act: install, lasts: 1s}\n"
	for in, want := range map[string]int{"": 800, "coverage: 95%\n": 950, "coverage: 99.5 %\n": 995, "coverage: 0%\n": 0} {
		p, err := Parse("p.yaml", []byte("name: x\n"+in+rest))
		if err != nil || p.Coverage.PerMille() != want {
			t.Errorf("%q: %v, %v", in, p, err)
		}
	}
	for _, in := range []string{"80", "101%", "-1%", "NaN%", "much"} {
		_, err := Parse("p.yaml", []byte("name: x\ncoverage: "+in+"\n"+rest))
		if err == nil || !strings.Contains(err.Error(), `p.yaml:2:11: "`+in+`" is no share; write a number from 0 to 100`) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	const rest = "arms: [{name: A, phases: [{name: i, act: install, lasts: 1s}]}]\n"
	for in, want := range map[string]Refusals{"": UsualRefusals, "let_through_after: 7\n": 7, "let_through_after: never\n": Never} {
		p, err := Parse("p.yaml", []byte("name: x\n"+in+rest))
		if err != nil || p.LetThroughAfter != want {
			t.Errorf("%q: %+v, %v", in, p, err)
		}
	}
	for _, in := range []string{"0", "-1", "some", "2.5", "1001"} {
		_, err := Parse("p.yaml", []byte("name: x\nlet_through_after: "+in+"\n"+rest))
		if err == nil || !strings.Contains(err.Error(), "p.yaml:2:") || !strings.Contains(err.Error(), "is no number of refusals") {
			t.Errorf("%s: %v", in, err)
		}
	}
}
