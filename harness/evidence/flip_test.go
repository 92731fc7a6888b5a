package evidence

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files reads a bundle's files.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every byte is changed, in a bit or entirely (of the two long files every third),
// and each time it is this byte that is named.
func TestOneChangedByteIsNamed(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	d := mustPut(t, l, "a body")
	mustAppend(t, l, KindExhibit, Exhibit{Kind: ExhibitLog, Media: "x", Blob: d, Size: 6})
	mustAppend(t, l, KindTap, Tap{X: 1})
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, text := range files(t, dir) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		for i := range text {
			if long := name == manifestName || name == sumsName; long && i%3 != 0 || testing.Short() && i%16 != 0 {
				continue
			}
			changed := bytes.Clone(text)
			flip := byte(1) << random.IntN(8)
			if i%61 == 0 {
				flip = byte(1 + random.IntN(255))
			}
			changed[i] ^= flip
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			problems := verify(t, dir)
			if len(problems) == 0 || problems[0].File != name || !slices.ContainsFunc(problems, func(p Problem) bool { return p.File == name && p.Offset == int64(i) }) {
				t.Errorf("%s: byte %d, %q for %q, is not named: %v", name, i, changed[i], text[i], problems)
			}
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Errorf("with every byte put back: %v", problems)
	}
}

func TestEverythingThatIsWrongIsSaid(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	before := files(t, dir)
	lines := bytes.SplitAfter(before[logName], []byte("\n"))
	edit := func(name string, how func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { change(t, filepath.Join(dir, filepath.FromSlash(name)), how) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	body := "blobs/" + string(DigestOf([]byte("a body <with> ümlauts & \x00 bytes")))
	for _, test := range []struct {
		name string
		do   []func(*testing.T, string)
		want []string // "FILE OFFSET words", in order, nothing else
	}{
		{"a line's text, in several places", do(edit(logName, func(b []byte) []byte { return bytes.Replace(b, []byte("text/xml"), []byte("text/csv"), 1) })),
			[]string{fmt.Sprintf("log.jsonl %d line 2 was changed: somewhere", len(lines[0]))}},
		{"the last line's text", do(edit(logName, func(b []byte) []byte { return bytes.Replace(b, []byte("completed"), []byte("finished!"), 1) })),
			[]string{fmt.Sprintf("log.jsonl %d line 3 was changed: somewhere", len(lines[0])+len(lines[1]))}},
		{"a line taken out", do(edit(logName, func(b []byte) []byte { return bytes.Replace(b, lines[1], nil, 1) })),
			[]string{fmt.Sprintf("log.jsonl %d line 2 is event 3", len(lines[0])+1), fmt.Sprintf("log.jsonl %d it ends here", len(lines[0])+len(lines[2]))}},
		{"a line put in", do(edit(logName, func(b []byte) []byte {
			return bytes.Replace(b, lines[1], append(bytes.Clone(lines[1]), lines[1]...), 1)
		})),
			[]string{fmt.Sprintf("log.jsonl %d line 3 is event 2", len(lines[0])+len(lines[1])+1), fmt.Sprintf("log.jsonl %d it goes on here", len(before[logName]))}},
		{"the last line torn", do(edit(logName, func(b []byte) []byte { return b[:len(b)-10] })),
			[]string{fmt.Sprintf("log.jsonl %d line 3 is torn", len(before[logName])-10), fmt.Sprintf("log.jsonl %d it ends here: 10 of", len(before[logName])-10)}},
		{"a field that is none", do(edit(logName, func(b []byte) []byte { return bytes.Replace(b, []byte(`"kind"`), []byte(`"note":1,"kind"`), 1) })),
			[]string{`log.jsonl 38 line 1: json: unknown field "note"`, fmt.Sprintf("log.jsonl %d it goes on here: 9 bytes", len(before[logName]))}},
		{"the log gone", do(remove(logName)), []string{"log.jsonl 0 missing"}},
		{"a blob changed", do(edit(body, func(b []byte) []byte { copy(b, "A BODY"); return b })), []string{body + " 0 not those that were sealed"}},
		{"a blob cut", do(edit(body, func(b []byte) []byte { return b[:5] })), []string{body + " 5 it ends here"}},
		{"a blob longer", do(edit(body, func(b []byte) []byte { return append(b, "more"...) })), []string{body + " 32 it goes on here: 4 bytes"}},
		{"a blob gone", do(remove(body)), []string{body + " 0 missing"}},
		{"a blob that is a link", do(remove(body), func(t *testing.T, dir string) {
			if err := os.Symlink("/etc/hostname", filepath.Join(dir, body)); err != nil {
				t.Fatal(err)
			}
		}), []string{body + " 0 no ordinary file"}},
		{"a blob too many", do(func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, blobsName, "readme.txt"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}), []string{"blobs/readme.txt 0 names no such blob"}},
		{"a manifest with a field of its own", do(edit(manifestName, func(b []byte) []byte { return bytes.Replace(b, []byte(`"tool"`), []byte(`"proof": true, "tool"`), 1) })),
			[]string{`manifest.json 37 unknown field "proof"`}},
		{"a manifest that says otherwise", do(edit(manifestName, func(b []byte) []byte { return bytes.Replace(b, []byte(`"quick"`), []byte(`"slow!"`), 1) })),
			[]string{`manifest.json 0 it was another when it was sealed`}},
		{"a manifest that is none", do(edit(manifestName, func(b []byte) []byte { return []byte("{") })),
			[]string{"manifest.json 0 the format is", "manifest.json 1 unexpected EOF"}},
		{"the manifest gone", do(remove(manifestName)), []string{"manifest.json 0 missing"}},
		{"the sums gone", do(remove(sumsName)), []string{"SHA256SUMS 0 missing"}},
		{"many things at once", do(remove(body), remove(sumsName), edit(logName, func(b []byte) []byte { return append(b, "{}\n"...) })),
			[]string{"SHA256SUMS 0 missing", fmt.Sprintf("log.jsonl %d it goes on here", len(before[logName])), fmt.Sprintf("log.jsonl %d line 4", len(before[logName])+1), body + " 0 missing"}},
		{"a report beside it", do(func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "report.html"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir)
			for _, f := range test.do {
				f(t, dir)
			}
			problems := verify(t, dir)
			ok := len(problems) == len(test.want)
			for i := range min(len(problems), len(test.want)) {
				file, rest, _ := strings.Cut(test.want[i], " ")
				offset, words, _ := strings.Cut(rest, " ")
				p := problems[i]
				ok = ok && p.File == file && fmt.Sprint(p.Offset) == offset && strings.Contains(p.What, words)
			}
			if !ok {
				t.Errorf("got\n\t%v\nwant\n\t%s", problems, strings.Join(test.want, "\n\t"))
			}
		})
	}
}

func do(all ...func(*testing.T, string)) []func(*testing.T, string) { return all }
