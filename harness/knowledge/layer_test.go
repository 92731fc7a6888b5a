package knowledge

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const mine = `signatures:
  - id: thing-guest
    service: Thing
    kind: account
    where:
      - hosts: [api.thing.example]
        paths: [/v1/guest]
    minted:
      - {at: body:user.id, role: id}
    source: a capture of my own
    checked: 2026-11-24
    confidence: read
`

func addition(files map[string]string) Addition {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Addition{"mine", fsys}
}

// What a folder adds is found first, is in the version, and takes nothing away.
func TestAdditions(t *testing.T) {
	b := embeddedBase(t)
	own := addition(map[string]string{
		FileSignatures: mine,
		FileOwners:     "owners:\n  - suffixes: [thing.example]\n    company: Thing\n    country: DE\n    purpose: social\n    source: its imprint\n    checked: 2026-11-24\n    confidence: read\n",
		FileTraps:      "values:\n  - id: demo-user\n    equals: [7000000000000000001]\n    why: the demonstration's user\n    source: its documents\n    checked: 2026-11-24\n    confidence: read\n",
		FileFields:     "principals: [thing_no]\n",
		"README.md":    "not read",
	})
	more, err := Load(embedded, own)
	if err != nil {
		t.Fatal(err)
	}
	if more.Version() == b.Version() {
		t.Error("the version does not tell of the addition")
	}
	if again, err := Load(embedded, own); err != nil || again.Version() != more.Version() {
		t.Errorf("the same addition has another version: %v", err)
	}
	if more.Signatures[0].ID != "thing-guest" || len(more.Signatures) != len(b.Signatures)+1 {
		t.Errorf("%d signatures, the first is %s", len(more.Signatures), more.Signatures[0].ID)
	}
	if o, ok := more.Owners.Of("api.thing.example"); !ok || o.Company != "Thing" {
		t.Errorf("the owner is %v", o)
	}
	if _, ok := more.Traps.Value("7000000000000000001"); !ok {
		t.Error("the trap is not known")
	}
	if !Named(more.Fields.Principals, "ThingNo") || !Named(more.Fields.Principals, "user_id") || Named(b.Fields.Principals, "thing_no") {
		t.Error("the field's name is not added, or took others away")
	}
	if more.Fields.Source != b.Fields.Source || more.Traps.ShortestText != b.Traps.ShortestText {
		t.Error("what is no list was changed")
	}
	entries, err := more.Entries()
	if err != nil {
		t.Fatal(err)
	}
	found, _ := Find(entries, "thing-guest")
	if len(found) != 1 || found[0].File != "mine/signatures.yaml" || found[0].Line != 2 || !strings.HasPrefix(found[0].Text, "- id: thing-guest\n  service: Thing\n") {
		t.Errorf("its entry is %+v", found)
	}
	for _, s := range b.Signatures {
		found, _ := Find(entries, s.ID)
		found = slices.DeleteFunc(found, func(e Entry) bool { return e.Type != "signature" })
		if len(found) != 1 || found[0].Kind != s.Kind || found[0].Checked != s.Checked {
			t.Errorf("the entry of %s is %+v", s.ID, found)
		}
	}

	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"twice":        {map[string]string{FileSignatures: strings.Replace(mine, "thing-guest", "nakama-device", 1)}, `signature "nakama-device" stands twice`},
		"unknown key":  {map[string]string{FileSignatures: strings.Replace(mine, "kind:", "kinds:", 1)}, `mine/signatures.yaml:4:5: unknown key "kinds"; did you mean "kind"?`},
		"another name": {map[string]string{"signature.yaml": mine}, "did you mean signatures.yaml?"},
		"nothing":      {map[string]string{"README.md": ""}, "holds no file of the knowledge"},
	} {
		if _, err := Load(embedded, addition(c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Lint says everything at once, with the places, and nothing of what is right.
func TestLint(t *testing.T) {
	if problems, err := Lint(""); err != nil || len(problems) > 0 {
		t.Errorf("the embedded knowledge: %v %v", problems, err)
	}
	for name, c := range map[string]struct {
		file, text string
		want       []string // file:line:column: and what the message holds
	}{
		"right": {FileSignatures, mine, nil},
		"several": {FileSignatures, strings.NewReplacer("kind: account", "kind: acount", "paths:", "path:", "body:user.id", "user.id").Replace(mine), []string{
			"4:5: signatures.0.kind: value must be one of", "6:9: signatures.0.where.0: the key paths is missing",
			`7:9: signatures.0.where.0: unknown key "path"; did you mean "paths"?`, `9:10: signatures.0.minted.0.at: "user.id" does not have the form`,
		}},
		"beside the embedded": {FileSignatures, strings.Replace(mine, "thing-guest", "nakama-device", 1), []string{`2:1: signature "nakama-device" stands twice`}},
		"no YAML":             {FileSignatures, "signatures: [", []string{"1:13: "}},
		"empty":               {FileOwners, "", []string{" the file is empty"}},
		"another kind":        {FileTraps, "- 1\n", []string{" got array, want object"}},
		"another name":        {"trap.yaml", "", []string{" no file of the knowledge has this name; did you mean traps.yaml?"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, c.file)
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, target := range []string{dir, file} {
				problems, err := Lint(target)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range problems {
					got = append(got, p.String())
				}
				if !slices.EqualFunc(got, c.want, func(g, w string) bool {
					return strings.HasPrefix(g, filepath.ToSlash(file)+":") && strings.Contains(g, w)
				}) {
					t.Errorf("%s: got %q, want %q", target, got, c.want)
				}
			}
		})
	}
	if _, err := Lint(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a folder that is not there is right")
	}
}

// Whatever a file holds, lint says what is wrong with it and goes on.
func FuzzLint(f *testing.F) {
	for _, seed := range []string{mine, "", "signatures: [", "- 1", "signatures: {a: &a [*a]}", "! 0", "signatures:\n  - id: !!binary =\n", "a: 1\n---\nb: 2\n", "signatures: [{id: x, where: [{paths: ['**/']}]}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := layer{"signatures.yaml", []byte(text)}
		for _, p := range l.lint(FileSignatures) {
			if p.File == "" || p.Message == "" || p.Line < 0 {
				t.Errorf("%q: %+v", text, p)
			}
		}
		_, _ = l.entries()
	})
}
