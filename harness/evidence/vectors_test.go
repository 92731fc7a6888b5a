package evidence_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

var update = flag.Bool("update", false, "write the vectors anew")

// vector is one folder of testdata: a bundle, and what is wrong with it.
type vector struct {
	name   string
	change func(t *testing.T, dir string) // from the vector "good"; nil for none
}

var vectors = []vector{
	{"good", nil},
	{"killed", func(t *testing.T, dir string) {
		for _, name := range []string{"manifest.json", "SHA256SUMS"} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"log-byte", rewrite("log.jsonl", "ssaid=", "ssaiD=")},
	{"log-text", rewrite("log.jsonl", "tracker.example", "partner.example")},
	{"log-line-gone", func(t *testing.T, dir string) {
		edit(t, filepath.Join(dir, "log.jsonl"), func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join(append(lines[:5:5], lines[6:]...), nil)
		})
	}},
	{"log-torn", func(t *testing.T, dir string) {
		edit(t, filepath.Join(dir, "log.jsonl"), func(b []byte) []byte { return b[:len(b)-20] })
	}},
	{"blob-byte", rewrite(blob(requestBody), "draft", "craft")},
	{"blob-gone", func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, blob(requestBody))); err != nil {
			t.Fatal(err)
		}
	}},
	{"blob-added", func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, blob("planted later")), []byte("planted later"), 0o600); err != nil {
			t.Fatal(err)
		}
	}},
	{"manifest-text", rewrite("manifest.json", `"simulated": true`, `"simulated": null`)},
	{"manifest-field", rewrite("manifest.json", `"tool":`, `"note": "x", "tool":`)},
}

const requestBody = `{"draft": "a video that nobody posted"}`

func blob(text string) string { return "blobs/" + string(evidence.DigestOf([]byte(text))) }

func rewrite(name, old, new string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		edit(t, filepath.Join(dir, filepath.FromSlash(name)), func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) })
	}
}

func edit(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := how(bytes.Clone(before))
	if bytes.Equal(before, after) {
		t.Fatalf("%s is not changed", path)
	}
	if err := os.WriteFile(path, after, 0o600); err != nil {
		t.Fatal(err)
	}
}

// write makes the bundle that all vectors begin with.
func write(t *testing.T, dir string) {
	t.Helper()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l, err := evidence.Create(dir, func() time.Time { at = at.Add(1500 * time.Millisecond); return at })
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string, data any) {
		if _, err := l.Append(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	put := func(text string) (evidence.Digest, int64) {
		d, n, err := l.PutBlob(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return d, n
	}
	identity := canary.Identity{Label: "X", Canaries: []canary.Canary{{Kind: canary.SSAID, Value: "753b11840c754a7b"}, {Kind: canary.Name, Value: "Erasmus Okonjowell"}}}
	decoys := canary.Identity{Label: "X", Canaries: []canary.Canary{{Kind: canary.SSAID, Value: "1f8de1f0ac0b4c5d"}}}
	protocol, _ := put("name: vector\n")
	app, size := put("this stands for an APK")
	device := evidence.Device{Serial: "127.0.0.1:5555", Simulated: true, Model: "Vector", Release: "14", API: 34, Fingerprint: "unasked/vector:14", Rooted: true, Properties: map[string]string{"ro.b": "<2>", "ro.a": "1"}}
	add(evidence.KindAuditStart, evidence.AuditStart{Tool: "unasked 0.0.0", Command: []string{"unasked", "audit", "app.apk"}, Protocol: "vector", Source: protocol, Seed: "0102", Knowledge: evidence.DigestOf([]byte("knowledge")), Identity: identity, Decoys: decoys})
	add(evidence.KindDevice, device)
	info := evidence.App{Package: "org.example.vector", VersionCode: 7, Files: []evidence.File{{Name: "app.apk", Blob: app, Size: size}}}
	add(evidence.KindApp, info)
	l.Position("a", "first-launch", evidence.Untouched)
	add(evidence.KindPhaseStart, evidence.Phase{Name: "first-launch", Purpose: "launch", Lasts: time.Minute})
	body, size := put(requestBody)
	add(evidence.KindRequest, flow.Request{Flow: "f1", Started: at, Method: "POST", URL: "https://tracker.example/v1?ssaid=753b11840c754a7b", Proto: "HTTP/2.0", Headers: []flow.Header{{Name: "content-type", Value: "application/json"}}, Body: flow.Body{Blob: body, Size: size}, Client: "127.0.0.1:40000", TLS: &flow.TLS{Version: "TLS 1.3", ALPN: "h2", SNI: "tracker.example"}})
	empty, _ := put("")
	_ = empty // an empty blob is a blob
	add(evidence.KindResponse, flow.Response{Flow: "f1", Started: at, Ended: at, Status: 204, Proto: "HTTP/2.0", Server: "192.0.2.1:443"})
	add(evidence.KindConnection, flow.Connection{Flow: "f2", Started: at, Ended: at, Host: "pinned.example", Port: 443, SNI: "pinned.example", Reason: flow.Distrusted, Detail: "the client refused the certificate"})
	add(evidence.KindPhaseEnd, evidence.Phase{Name: "first-launch", Purpose: "launch", Lasts: time.Minute, Reached: true})
	if err := l.Seal(evidence.Manifest{Tool: "unasked 0.0.0", End: evidence.AuditEnd{How: evidence.Completed}, Protocol: "vector", Knowledge: evidence.DigestOf([]byte("knowledge")), Device: device, App: info, Identity: identity, Decoys: decoys}); err != nil {
		t.Fatal(err)
	}
}

// place is what a problem names; its words may change.
type place struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			made := t.TempDir()
			write(t, made)
			if v.change != nil {
				v.change(t, made)
			}
			dir := filepath.Join("testdata", v.name)
			if *update {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(filepath.Join(dir, "bundle"), os.DirFS(made)); err != nil {
					t.Fatal(err)
				}
			}
			compare(t, os.DirFS(made), os.DirFS(filepath.Join(dir, "bundle")))
			problems, err := evidence.Verify(t.Context(), filepath.Join(dir, "bundle"))
			if err != nil {
				t.Fatal(err)
			}
			places := []place{}
			for _, p := range problems {
				t.Log(p)
				places = append(places, place{p.File, p.Offset})
			}
			got, err := json.MarshalIndent(places, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join(dir, "problems.json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is\n%s%v, and the bundle has\n%s", path, want, err, got)
			}
			if (len(problems) == 0) != (v.change == nil) {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}

// compare requires that two folders hold the same files: what is written today
// is what was written when the vectors were committed.
func compare(t *testing.T, a, b fs.FS) {
	t.Helper()
	read := func(f fs.FS) map[string]string {
		all := map[string]string{}
		err := fs.WalkDir(f, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(f, path)
			all[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	x, y := read(a), read(b)
	for name := range x {
		if _, ok := y[name]; !ok {
			t.Errorf("the vector lacks %s", name)
		} else if x[name] != y[name] {
			t.Errorf("%s is\n%s\nin the vector, and is now written\n%s", name, y[name], x[name])
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			t.Errorf("the vector has %s, which is no longer written", name)
		}
	}
}
