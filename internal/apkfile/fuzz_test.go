package apkfile

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// onlyFaults fails for an error of another type: whatever is wrong with the bytes has a kind, a part and a place.
func onlyFaults(t *testing.T, err error) {
	t.Helper()
	var fault *Error
	if err != nil && !errors.As(err, &fault) {
		t.Errorf("an error without a kind: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(manifestOf(f, "clipshare"), fileOf(f, "clipshare", resourcesName))
	f.Add(manifestOf(f, "pantry"), []byte{})
	f.Fuzz(func(t *testing.T, manifest, table []byte) {
		root, err := parseXML(manifest, manifestName, ErrBadManifest)
		onlyFaults(t, err)
		if err != nil {
			return
		}
		file := &File{resources: func() (resources, error) { return parseTable(table) }}
		m, err := file.readManifest(root)
		onlyFaults(t, err)
		if err == nil && m.Package == "" {
			t.Error("a manifest without a package")
		}
	})
}

func FuzzResources(f *testing.F) {
	f.Add(fileOf(f, "clipshare", resourcesName), uint32(0x7f010000))
	f.Add(fileOf(f, "pantry", resourcesName), uint32(0x7f020000))
	f.Fuzz(func(t *testing.T, b []byte, id uint32) {
		table, err := parseTable(b)
		onlyFaults(t, err)
		if err != nil {
			return
		}
		for n := range uint32(4) {
			_, err := table.resolve(id + n)
			onlyFaults(t, err)
			_, err = table.locales(id + n)
			onlyFaults(t, err)
			table.name(id + n)
		}
	})
}

func FuzzSigningBlock(f *testing.F) {
	for _, name := range []string{"clipshare", "pantry"} {
		whole, err := os.ReadFile(calibration(f, name))
		if err != nil {
			f.Fatal(err)
		}
		r := bytes.NewReader(whole)
		l, err := readLayout(r, r.Size())
		if err != nil {
			f.Fatal(err)
		}
		b, err := readSigningBlock(r, l)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole[b.start:l.directory])
	}
	apk := bare(f)
	l, err := readLayout(bytes.NewReader(apk), int64(len(apk)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pairs, err := parseSigningBlock(b)
		onlyFaults(t, err)
		for _, p := range pairs {
			for _, scheme := range []int{2, 3} {
				signers, err := parseSigners(p.value, scheme)
				onlyFaults(t, err)
				for _, s := range signers {
					_, err := s.verify(scheme, &contentDigests{r: bytes.NewReader(apk), l: l, block: l.directory})
					onlyFaults(t, err)
				}
			}
		}
	})
}

// FuzzAPK reads whole files, JAR signatures included.
func FuzzAPK(f *testing.F) {
	f.Add(bare(f))
	f.Add(archive(f, entry{name: manifestName, content: manifestOf(f, "pantry")}, entry{name: jarManifest, content: []byte("Manifest-Version: 1.0\r\n\r\nName: a\r\nSHA-256-Digest: AA==\r\n")},
		entry{name: "META-INF/A.SF", content: []byte("Signature-Version: 1.0\r\n")}, entry{name: "META-INF/A.RSA", content: []byte{0x30, 3, 2, 1, 0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Read(bytes.NewReader(b), int64(len(b)))
		onlyFaults(t, err)
		if err != nil {
			return
		}
		_, _, err = a.Signers()
		onlyFaults(t, err)
		a.Authenticators()
	})
}
