package identities

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
)

func parse(t *testing.T, text string) *List {
	t.Helper()
	l, err := Parse("ids.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return l
}

func TestValuesAreTakenAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"- {kind: a, value: somebody@example.org}":                               "somebody@example.org",
		"- kind: a\n  value: 358240051111110":                                    "358240051111110",
		"- kind: a\n  value: 00491711234567":                                     "00491711234567",
		"- kind: a\n  value: +491711234567":                                      "+491711234567",
		"- kind: a\n  value: -33.868820":                                         "-33.868820",
		"- kind: a\n  value: 1.50":                                               "1.50",
		"- kind: a\n  value: 0x1F":                                               "0x1F",
		"- kind: a\n  value: 1e6":                                                "1e6",
		"- kind: a\n  value: 1_000":                                              "1_000",
		"- kind: a\n  value: 02:00:5e:10:00:01":                                  "02:00:5e:10:00:01",
		"- kind: a\n  value: 12:34:56":                                           "12:34:56",
		"- kind: a\n  value: 2024-01-31":                                         "2024-01-31",
		"- kind: a\n  value: \"with \\\"quotes\\\"\"":                            `with "quotes"`,
		"- kind: a\n  value: 'a: b # c'":                                         "a: b # c",
		"- kind: a\n  value: |\n    two\n    lines\n":                            "two\nlines",
		"- kind: a\n  value: 123456789012345678901234":                           "123456789012345678901234",
		`[{"kind":"a","value":"x\ty"}]`:                                          "x\ty",
		"[\n\t{\n\t\t\"kind\": \"a\",\n\t\t\"value\": 358240051111110\n\t}\n]\n": "358240051111110",
		"\ufeff- kind: a\n  value: b1\n":                                         "b1",
		"- kind: a\r\n  value: dos line\r\n":                                     "dos line",
		"- kind: a\n  value: 48.137154,11.576124":                                "48.137154,11.576124",
		"- kind: a\n  value: Jürgen Müller":                                      "Jürgen Müller",
	} {
		if got := parse(t, text).Identity.Canaries[0].Value; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "ids.yaml: the file is empty",
		"[]":                                   "ids.yaml: names no identity",
		"kind: a\nvalue: b":                    "must be a list",
		"- kind: a\n  valeu: b":                `ids.yaml:2:3: unknown key "valeu"; did you mean "value"?`,
		"- kind: a\n  value: [x]":              "ids.yaml:2:10: give one text or number",
		"- kind: a\n  value:\n":                "ids.yaml:",
		"- kind: a\n  value: true":             `ids.yaml:2:10: "true" is true or false`,
		"- kind: a\n  value: \"\"":             "ids.yaml:2:10: the value is empty",
		"- value: b":                           "ids.yaml: item 1 has no kind",
		"- kind: a":                            "ids.yaml: item 1, a, has no value",
		"- kind: a\n  value: b\n  decoy: yep":  "ids.yaml:3:10: ",
		"- kind: {a: b}\n  value: c":           "ids.yaml:1:9: give one text",
		"- kind: a\n  value: b\n  decoy: true": "ids.yaml: names decoys only",
		"- kind: [x":                           "ids.yaml:",
		`[{"kind":"a","value":"b"`:             "ids.yaml:",
		"- just a text":                        "ids.yaml:1:",
		"\x00\xff\xfe":                         "ids.yaml",
	} {
		l, err := Parse("ids.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q: %+v", text, l.Identity)
		} else if !strings.HasPrefix(err.Error(), "ids.yaml") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, want %q", text, err, want)
		}
	}
}

func TestDecoys(t *testing.T) {
	text := "- {kind: email, value: somebody@example.org}\n- {kind: email, value: somebody@example.org}\n- {kind: x, value: never there, decoy: true}\n"
	l := parse(t, text)
	if len(l.Identity.Canaries) != 1 {
		t.Errorf("%d values, want 1: the second is the same", len(l.Identity.Canaries))
	}
	if n := len(canary.Kinds()); l.Derived != n || len(l.Decoys.Canaries) != n+1 {
		t.Errorf("%d decoys, %d derived", len(l.Decoys.Canaries), l.Derived)
	}
	if again := parse(t, text); fmt.Sprint(again) != fmt.Sprint(l) {
		t.Error("the same list gives other decoys")
	}
	// A value that is one of the decoys would be found as both.
	value := l.Decoys.Value(canary.Name)
	if l := parse(t, "- {kind: name, value: "+value+"}"); strings.Contains(fmt.Sprint(l.Decoys), value) {
		t.Errorf("%q is looked for and a decoy", value)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"- kind: a\n  value: b\n", "- kind: a\n  value: |\n    x\n", `[{"kind":"a","value":1.50,"decoy":true}]`, "- kind: &a x\n  value: *a\n",
		"- kind: a\n  value: !!str 5\n", "- <<: {kind: a}\n  value: b", "---\n- kind: a\n", "[\t{\"kind\":\t\"a\"}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse("ids.yaml", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "ids.yaml") {
				t.Errorf("%q names no file", err)
			}
			return
		}
		for _, c := range l.Identity.Canaries {
			if c.Kind == "" || c.Value == "" {
				t.Errorf("%q gives %+v", data, c)
			}
		}
	})
}
