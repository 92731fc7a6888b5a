package apkfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bundleOf makes an app bundle out of an APK: aapt2 turns its resources into protocol
// buffers, and the files are put where a bundle has them.
func bundleOf(t *testing.T, apk string) []byte {
	t.Helper()
	proto := t.TempDir() + "/proto.apk"
	run(t, "aapt2", "convert", "--output-format", "proto", "-o", proto, apk)
	z, err := zip.OpenReader(proto)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, r io.Reader) {
		to, err := w.Create(name)
		if err == nil {
			_, err = io.Copy(to, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(bundleConfig, strings.NewReader("\x0a\x00"))
	for _, e := range z.File {
		name := "base/" + e.Name
		if e.Name == manifestName {
			name = baseModule + moduleManifest
		}
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		put(name, r)
		r.Close()
	}
	put("base/dex/classes.dex", strings.NewReader("dex\n035\x00"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBundle: an app bundle says the same as the APK that it was made from.
func TestBundle(t *testing.T) {
	apk := rich(t)
	b := bundleOf(t, apk)
	modules, err := ReadBundle(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(modules) != 1 {
		t.Fatalf("%d modules, %v", len(modules), err)
	}
	f, of := modules[0], open(t, apk)
	if diff := cmp.Diff(of.Manifest(), f.Manifest()); diff != "" {
		t.Errorf("manifest (-of the APK +of the bundle):\n%s", diff)
	}
	for _, file := range []*File{f, of} {
		labels, err := file.Labels(file.Manifest().LabelID)
		if diff := cmp.Diff(map[string]string{"": `Träume & 日本 ok`, "de": "Deutsch"}, labels); err != nil || diff != "" {
			t.Errorf("labels: %v\n%s", err, diff)
		}
		if n := file.ResourceName(file.Manifest().LabelID); n != "string/app" {
			t.Errorf("the label is resource %q", n)
		}
		if root, err := file.XML("res/xml/backup.xml"); err != nil || root.Name != "full-backup-content" || len(root.Children) != 2 {
			t.Errorf("backup rules: %+v %v", root, err)
		}
	}
	if got := f.DexNames(); len(got) != 1 || got[0] != "classes.dex" {
		t.Errorf("bytecode: %q", got)
	}
	if schemes, _, err := f.Schemes(); err != nil || len(schemes) != 0 {
		t.Errorf("an unsigned bundle: %+v %v", schemes, err)
	}

	lost := bytes.ReplaceAll(b, []byte("base/manifest/"), []byte("base/manifesT/"))
	if _, err := ReadBundle(bytes.NewReader(lost), int64(len(lost))); !errors.Is(err, ErrNotAPK) || !strings.Contains(err.Error(), "without base/manifest/AndroidManifest.xml") {
		t.Errorf("a bundle without a manifest: %v", err)
	}
}

func FuzzBundle(f *testing.F) {
	manifest, err := os.ReadFile("testdata/manifest.pb")
	if err != nil {
		f.Fatal(err)
	}
	table, err := os.ReadFile("testdata/resources.pb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(manifest, table)
	f.Fuzz(func(t *testing.T, manifest, table []byte) {
		parsed, err := parseProtoTable(table)
		onlyFaults(t, err)
		if err != nil {
			return
		}
		b := &bundle{table: parsed}
		root, err := b.parseXML(manifest, manifestName, ErrBadManifest)
		onlyFaults(t, err)
		if err != nil {
			return
		}
		file := &File{bundle: b, resources: func() (resources, error) { return parsed, nil }}
		m, err := file.readManifest(root)
		onlyFaults(t, err)
		if err == nil {
			_, err = file.Labels(m.LabelID)
			onlyFaults(t, err)
		}
	})
}
