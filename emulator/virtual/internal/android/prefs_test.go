package android

import (
	"testing"
)

func TestPreferencesComeBackAsTheyWere(t *testing.T) {
	text := "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n    <string name=\"a &amp; b\">x&#10;&lt;y&gt;</string>\n    <boolean name=\"on\" value=\"true\" />\n    <set name=\"tags\">\n        <string>one</string>\n        <string>two</string>\n    </set>\n    <long name=\"n\" value=\"12345678901\" />\n</map>\n"
	p, err := parsePreferences([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.encode()); got != text {
		t.Errorf("written again:\n%s\nwas\n%s", got, text)
	}
	if v, ok := p.get("a & b"); !ok || v != "x\n<y>" {
		t.Errorf("get: %q", v)
	}
	p.put("int", "on", "7")
	p.remove("tags")
	p.remove("none")
	if got := len(p.entries); got != 3 {
		t.Errorf("%d entries", got)
	}
}

func TestPreferencesThatAreNone(t *testing.T) {
	if p, err := parsePreferences(nil); err != nil || len(p.entries) != 0 {
		t.Errorf("an empty file: %v", err)
	}
	for _, bad := range []string{"<map>", "<list/>", "ABX\x00\x01", "<map><string name='a'>"} {
		if _, err := parsePreferences([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzPreferences(f *testing.F) {
	f.Add([]byte("<map><string name=\"a\">b</string><set name=\"s\"><string>x</string></set></map>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePreferences(data)
		if err != nil {
			return
		}
		again, err := parsePreferences(p.encode())
		if err != nil {
			t.Fatalf("%q was written as what can't be read: %v", data, err)
		}
		if len(again.entries) != len(p.entries) {
			t.Fatalf("%q had %d entries, has %d", data, len(p.entries), len(again.entries))
		}
	})
}
