package strictyaml

import (
	"strings"
	"testing"
	"time"
)

type file struct {
	Name  string `yaml:"name"`
	Inner []struct {
		Repeats int      `yaml:"repeats"`
		Lasts   Duration `yaml:"lasts"`
	} `yaml:"inner"`
}

func TestDecode(t *testing.T) {
	var f file
	if err := Decode("a.yaml", []byte("name: x\ninner:\n  - repeats: 3\n    lasts: 5s\n"), &f); err != nil {
		t.Fatal(err)
	}
	if f.Name != "x" || f.Inner[0].Repeats != 3 || f.Inner[0].Lasts != Duration(5*time.Second) {
		t.Errorf("decoded %+v", f)
	}
}

func TestErrorsNamePlaceAndRemedy(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unknown key":   {"name: x\ninner:\n  - repeat: 3\n", `a.yaml:3:5: unknown key "repeat"; did you mean "repeats"?`},
		"nothing near":  {"name: x\nzzzzzzzzzzzz: 1\n", `a.yaml:2:1: unknown key "zzzzzzzzzzzz"`},
		"wrong type":    {"name: x\ninner:\n  - repeats: many\n", `a.yaml:3:14: "many" is no whole number`},
		"bad duration":  {"name: x\ninner:\n  - lasts: soon\n", `a.yaml:3:12: "soon" is no duration; write it like`},
		"duplicate key": {"name: x\nname: y\n", "a.yaml:2:1: "},
		"not yaml":      {"name: [x\n", "a.yaml:"},
		"empty":         {"", "a.yaml: the file is empty"},
		"odd tag":       {"inner: ! 0", "a.yaml: can't be read as YAML"},
		"two documents": {"name: x\n---\nname: y\n", "a.yaml: holds more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Decode("a.yaml", []byte(c.in), new(file))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s…", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	words := []string{"repeats", "phases", "arms"}
	for in, want := range map[string]string{"repeat": "repeats", "phase": "phases", "Arms": "arms", "quux": "", "": "", "all": ""} {
		if got := Nearest(in, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
