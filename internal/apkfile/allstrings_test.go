package apkfile

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// allStrings are the strings of an APK; any error fails the test.
func allStrings(t *testing.T, name string) map[string]bool {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]bool{}
	for s, err := range f.Strings(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		all[s] = true
	}
	return all
}

// compareStrings holds an APK's strings against what dexdump and aapt print of it.
func compareStrings(t *testing.T, name string) {
	t.Helper()
	all := allStrings(t, name)
	for _, tool := range []string{"dexdump", "aapt"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool, " is not installed")
		}
	}
	found := 0
	if hasDex(t, name) {
		if found = compareConstants(t, name, all); found < 1000 {
			t.Errorf("dexdump shows %d constants", found)
		}
	}
	resources, err := exec.Command("aapt", "dump", "strings", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	pool := 0
	for _, m := range regexp.MustCompile(`(?m)^String #\d+ ?: (.*)$`).FindAllSubmatch(resources, -1) {
		s := string(m[1])
		if s == "" || !plainASCII(s) {
			continue
		}
		if pool++; !all[s] {
			t.Errorf("aapt has %q", s)
		}
	}
	t.Logf("%d strings; %d constants of dexdump, %d resources of aapt", len(all), found, pool)
}

func hasDex(t *testing.T, name string) bool {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.HasDex()
}

// compareConstants looks for the constants that dexdump prints, and counts them.
func compareConstants(t *testing.T, name string, all map[string]bool) (found int) {
	t.Helper()
	for _, m := range constants(t, name) {
		if found++; !all[m.text] {
			t.Errorf("dexdump has %q", m.text)
		}
	}
	return found
}

// constant is a string in the code, and its number in the table of its DEX file.
type constant struct {
	text  string
	index uint64
}

// constants are those that dexdump prints as they are: it does not escape all others alike.
func constants(t *testing.T, name string) (found []constant) {
	t.Helper()
	code, err := exec.Command("dexdump", "-d", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`const-string(?:/jumbo)? v\d+, "([ -\[\]-~]+)" // string@([0-9a-f]+)`).FindAllSubmatch(code, -1) {
		index, err := strconv.ParseUint(string(m[2]), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, constant{string(m[1]), index})
	}
	return found
}

func plainASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func TestStringsOfCalibration(t *testing.T) {
	for _, name := range []string{"clipshare", "pantry"} {
		t.Run(name, func(t *testing.T) {
			compareStrings(t, calibration(t, name))
			f, err := Open(calibration(t, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if pkg := f.Manifest().Package; !allStrings(t, calibration(t, name))[pkg] {
				t.Errorf("the manifest's %q is missing", pkg)
			}
		})
	}
}

// TestStringsOfRealApp reads an app that others built: io.appium.settings from npm.
func TestStringsOfRealApp(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil || testing.Short() {
		t.Skip("npm is needed")
	}
	dir := t.TempDir()
	npm := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, "io.appium.settings")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("npm can't reach its registry: %v: %s", err, out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatal(archives, err)
	}
	const apk = "package/apks/settings_apk-debug.apk"
	if out, err := exec.Command("tar", "-xzf", archives[0], "-C", dir, apk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	name := filepath.Join(dir, apk)
	t.Run("constants and resources", func(t *testing.T) { compareStrings(t, name) })
	t.Run("order", func(t *testing.T) { compareOrder(t, name) })
}

// compareOrder holds the table of an app's first DEX file against the numbers that dexdump prints.
func compareOrder(t *testing.T, name string) {
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dex, err := f.read("classes.dex", maxDex)
	if err != nil {
		t.Fatal(err)
	}
	single := filepath.Join(t.TempDir(), "classes.dex")
	if err := os.WriteFile(single, dex, 0o600); err != nil {
		t.Fatal(err)
	}
	v := view{b: dex, part: "classes.dex", kind: ErrBadDex}
	table, err := dexTable(v)
	if err != nil {
		t.Fatal(err)
	}
	all := constants(t, single)
	for _, c := range all {
		off, err := table.u32(int(c.index) * 4)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := v.dexString(off); err != nil || s != c.text {
			t.Errorf("string %d is %q, %v; dexdump has %q", c.index, s, err, c.text)
		}
	}
	if len(all) == 0 {
		t.Error("dexdump shows no constants")
	}
}

func TestMUTF8(t *testing.T) {
	for _, s := range []string{"plain", "zero\x00within", "süß", "日本", "🦊 and 🐙", "\ufffd"} {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			switch {
			case u != 0 && u < 0x80:
				b = append(b, byte(u))
			case u < 0x800:
				b = append(b, 0xc0|byte(u>>6), 0x80|byte(u&0x3f))
			default:
				b = append(b, 0xe0|byte(u>>12), 0x80|byte(u>>6&0x3f), 0x80|byte(u&0x3f))
			}
		}
		if got := mutf8(b); got != s {
			t.Errorf("%q: %q", s, got)
		}
	}
	for _, broken := range []string{"\xff", "\xed\xa0\x80", "\xe0", "\xc3", "a\xed\xb0\x80b"} {
		if got := mutf8([]byte(broken)); !utf8.ValidString(got) || !strings.Contains(got, "\ufffd") {
			t.Errorf("%x: %q", broken, got)
		}
	}
}

// dexOf is a DEX file with a table of strings and nothing else.
func dexOf(places []uint32, data string) []byte {
	b := make([]byte, dexHeader)
	copy(b, "dex\n035\x00")
	binary.LittleEndian.PutUint32(b[dexEndian:], 0x12345678)
	binary.LittleEndian.PutUint32(b[dexStringCount:], uint32(len(places)))
	binary.LittleEndian.PutUint32(b[dexStringTable:], dexHeader)
	for _, at := range places {
		b = binary.LittleEndian.AppendUint32(b, at)
	}
	return append(b, data...)
}

func TestDexThatLies(t *testing.T) {
	many := make([]uint32, 50_000)
	for i := range many {
		many[i] = uint32(dexHeader + 4*len(many))
	}
	huge := dexOf(nil, "")
	binary.LittleEndian.PutUint32(huge[dexStringCount:], 0xffffffff)
	for name, c := range map[string]struct {
		dex  []byte
		kind error
		want []string
	}{
		"no dex":       {[]byte("PK\x03\x04"), ErrBadDex, nil},
		"huge table":   {huge, ErrBadDex, nil},
		"one lies":     {dexOf([]uint32{dexHeader + 12, 1 << 31, dexHeader + 15}, "\x01a\x00\x01b\x00"), ErrBadDex, []string{"a", "b"}},
		"no end":       {dexOf([]uint32{dexHeader + 4}, "\x01abc"), ErrBadDex, nil},
		"long length":  {dexOf([]uint32{dexHeader + 4}, "\xff\xff\xff\xff\xff\xff\x00"), ErrBadDex, nil},
		"same for all": {dexOf(many, "\x01"+strings.Repeat("x", 100_000)+"\x00"), ErrTooLarge, nil},
		"endless":      {dexOf(many, "\x01"+strings.Repeat("x", 100_000)), ErrTooLarge, nil},
	} {
		var got []string
		var last error
		total := 0
		dexStrings(c.dex, name, func(s string, err error) bool {
			if err != nil {
				onlyFaults(t, err)
				last = err
				return true
			}
			total += len(s)
			got = append(got, s)
			return true
		})
		if !errors.Is(last, c.kind) || c.want != nil && strings.Join(got, "|") != strings.Join(c.want, "|") || total > 2*len(c.dex)+1024 {
			t.Errorf("%s: %d strings of %d bytes, %v", name, len(got), total, last)
		}
	}
}

// TestStringsStop ends the reading by a context and by the loop.
func TestStringsStop(t *testing.T) {
	f, err := Open(calibration(t, "clipshare"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, errs := 0, 0
	for _, err := range f.Strings(ctx) {
		if err != nil {
			if errs++; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			continue
		}
		if n++; n == 3 {
			cancel()
		}
	}
	if n != 3 || errs != 1 {
		t.Errorf("%d strings and %d errors", n, errs)
	}
	for range f.Strings(t.Context()) {
		break
	}
}

// TestStringsOfBrokenPart: a resource table that is broken hides nothing of the others.
func TestStringsOfBrokenPart(t *testing.T) {
	f, err := Open(calibration(t, "clipshare"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	poolStrings(view{b: []byte{2, 0, 12, 0, 12, 0, 0, 0, 0, 0, 0, 0}, part: resourcesName, kind: ErrBadResources}, chunkTable, func(_ string, err error) bool {
		n++
		if !errors.Is(err, ErrBadResources) {
			t.Error(err)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d times", n)
	}
}

func FuzzStrings(f *testing.F) {
	f.Add(dexOf([]uint32{dexHeader + 8, dexHeader + 11}, "\x01a\x00\x02\xc0\x80b\x00"), fileOf(f, "clipshare", resourcesName))
	f.Add(dexOf([]uint32{dexHeader + 8, 1 << 31}, "\x01a\x00"), []byte{})
	f.Fuzz(func(t *testing.T, dex, resources []byte) {
		total := 0
		dexStrings(dex, "classes.dex", func(s string, err error) bool {
			onlyFaults(t, err)
			total += len(s)
			return true
		})
		if total > 2*len(dex)+1024 {
			t.Errorf("%d bytes out of %d", total, len(dex))
		}
		total = 0
		poolStrings(view{b: resources, part: resourcesName, kind: ErrBadResources}, chunkTable, func(s string, err error) bool {
			onlyFaults(t, err)
			total += len(s)
			return true
		})
		if total > maxStringBytes {
			t.Errorf("%d bytes of resources", total)
		}
	})
}
