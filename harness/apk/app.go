package apk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// App is an app whose files are open for reading: a base and what belongs to it.
type App struct {
	// Format is how it came: "apk", "aab", "apks", "xapk", "apkm", "zip", "folder" or "files".
	Format string
	// Wrapper is the one file that all came in, empty where there is none.
	Wrapper File
	parts   []*part // the base first
	closers []func() error
	notes   []string

	unpacked int64 // bytes in temporary files
}

// File is one file of an app.
type File struct {
	Name   string          `json:"name"`
	Size   int64           `json:"size"` // bytes
	SHA256 evidence.Digest `json:"sha256"`
	Split  string          `json:"split,omitempty"` // name of the split or module; empty for the base
}

// part is one APK or one module of a bundle.
type part struct {
	File
	f     *apkfile.File
	idsig string // path of a scheme 4 signature beside it
}

// The sentences for what can't be inspected.
var (
	ErrNoAPK     = errors.New("a folder without an APK: name a folder that holds the APK or its splits")
	ErrEncrypted = errors.New("an encrypted .apkm, which only APKMirror's installer opens: get the app as APK, .apks or unencrypted .apkm")
	ErrNoBase    = errors.New("there is no base APK among the files, only splits: add the base")
	ErrNothing   = errors.New("no app: it is neither an APK nor an app bundle, and holds no APK")
)

// Limits on what a wrapper may hold.
const (
	maxInner      = 512     // APKs
	maxInnerBytes = 2 << 30 // bytes of all that are compressed, which are unpacked into temporary files
)

// Open opens an app: an APK; several, of which one is the base; a folder of them; a
// wrapper (.apks, .xapk, .apkm); an app bundle (.aab). The caller closes it. Errors
// say what a file is instead, or where it is broken: they wrap one of this package's errors or one of apkfile's.
func Open(paths ...string) (*App, error) {
	a := &App{Format: "files"}
	if err := a.open(paths); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Close frees what Open opened.
func (a *App) Close() error {
	var err error
	for _, c := range slices.Backward(a.closers) {
		err = errors.Join(err, c())
	}
	a.closers = nil
	return err
}

func (a *App) open(paths []string) error {
	if len(paths) == 1 {
		info, err := os.Stat(paths[0])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s: %w", paths[0], ErrNotFound)
		case err != nil:
			return err
		case info.IsDir():
			a.Format = "folder"
			if paths, err = inFolder(paths[0]); err != nil {
				return err
			}
		default:
			return a.one(paths[0])
		}
	}
	for _, p := range paths {
		if err := a.add(p); err != nil {
			return err
		}
	}
	return a.arrange()
}

// inFolder are the APKs of a folder.
func inFolder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if strings.EqualFold(filepath.Ext(e.Name()), ".apk") && !e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoAPK)
	}
	return out, nil
}

// one opens a file that holds the whole app.
func (a *App) one(name string) error {
	r, size, sum, err := a.read(name)
	if err != nil {
		return err
	}
	ext := strings.ToLower(filepath.Ext(name))
	z, err := apkfile.ReadArchive(r, size)
	if errors.Is(err, apkfile.ErrNotAPK) && ext == ".apkm" && size > 0 {
		return fmt.Errorf("%s: %w", name, ErrEncrypted)
	}
	if err != nil {
		return placed(name, err)
	}
	names := z.Names()
	holds := func(is func(string) bool) bool { return slices.ContainsFunc(names, is) }
	switch {
	case holds(func(n string) bool { return n == "AndroidManifest.xml" }):
		a.Format = "apk"
		f, err := apkfile.Read(r, size)
		if err != nil {
			return placed(name, err)
		}
		a.parts = append(a.parts, &part{File{filepath.Base(name), size, sum, f.Manifest().Split}, f, name + ".idsig"})
		return nil
	case ext == ".aab" || holds(apkfile.IsBundle):
		a.Format = "aab"
		a.Wrapper = File{Name: filepath.Base(name), Size: size, SHA256: sum}
		modules, err := apkfile.ReadBundle(r, size)
		if err != nil {
			return placed(name, err)
		}
		for _, f := range modules {
			a.parts = append(a.parts, &part{File{Name: filepath.Base(name), Size: size, SHA256: sum, Split: f.Manifest().Split}, f, ""})
		}
		return nil
	case holds(func(n string) bool { return strings.HasSuffix(n, ".apk") }):
		a.Format = "zip"
		if slices.Contains([]string{".apks", ".xapk", ".apkm"}, ext) {
			a.Format = ext[1:]
		}
		a.Wrapper = File{Name: filepath.Base(name), Size: size, SHA256: sum}
		if err := a.unwrap(name, z, names); err != nil {
			return err
		}
		return a.arrange()
	}
	return fmt.Errorf("%s: %w", name, ErrNothing)
}

// read opens a file and hashes it.
func (a *App) read(name string) (*os.File, int64, evidence.Digest, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, "", fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, 0, "", err
	}
	a.closers = append(a.closers, f.Close)
	info, err := f.Stat()
	if err != nil {
		return nil, 0, "", err
	}
	if info.IsDir() {
		return nil, 0, "", fmt.Errorf("%s: %w", name, ErrFolder)
	}
	sum, err := hashed(name, f)
	return f, info.Size(), sum, err
}

// hashed is the SHA-256 of all that r yields.
func hashed(name string, r io.Reader) (evidence.Digest, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return evidence.Digest(hex.EncodeToString(h.Sum(nil))), nil
}

// placed says which file an error is about.
func placed(name string, err error) error {
	var fault *apkfile.Error
	if errors.As(err, &fault) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// add opens one APK of several.
func (a *App) add(name string) error {
	r, size, sum, err := a.read(name)
	if err != nil {
		return err
	}
	f, err := apkfile.Read(r, size)
	if errors.Is(err, apkfile.ErrNotAPK) && bundled(name) {
		return fmt.Errorf("%s: a bundle of several APKs: name it alone", name)
	}
	if err != nil {
		return placed(name, err)
	}
	a.parts = append(a.parts, &part{File{filepath.Base(name), size, sum, f.Manifest().Split}, f, name + ".idsig"})
	return nil
}

// unwrap opens the APKs of a wrapper. A set that bundletool made holds the splits, and for
// old devices whole APKs again, which are left out.
func (a *App) unwrap(name string, z *apkfile.File, names []string) error {
	inner := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasSuffix(n, ".apk") })
	if slices.Contains(inner, "universal.apk") {
		inner = []string{"universal.apk"}
	} else if slices.ContainsFunc(inner, func(n string) bool { return strings.HasPrefix(n, "splits/") }) {
		before := len(inner)
		inner = slices.DeleteFunc(inner, func(n string) bool { return !strings.HasPrefix(n, "splits/") })
		if left := before - len(inner); left > 0 {
			a.notes = append(a.notes, fmt.Sprintf("%d APKs for older devices, which hold the same again, were not read", left))
		}
	}
	if len(inner) > maxInner {
		return fmt.Errorf("%s: %w", name, &apkfile.Error{Kind: apkfile.ErrTooLarge, Part: "ZIP", Offset: -1, What: fmt.Sprintf("%d APKs, the limit is %d", len(inner), maxInner)})
	}
	for _, n := range inner {
		r, size, err := a.inner(z, n)
		if err != nil {
			return placed(name, err)
		}
		f, err := apkfile.Read(r, size)
		if err != nil {
			return placed(name+", "+strings.ToValidUTF8(n, "?"), err)
		}
		sum, err := hashed(n, io.NewSectionReader(r, 0, size))
		if err != nil {
			return err
		}
		a.parts = append(a.parts, &part{File{path.Base(n), size, sum, f.Manifest().Split}, f, ""})
	}
	return nil
}

// inner is an APK within a wrapper: a stretch of it, or unpacked into a temporary file
// that has no name any more.
func (a *App) inner(z *apkfile.File, name string) (io.ReaderAt, int64, error) {
	if s, ok := z.Stored(name); ok {
		return s, s.Size(), nil
	}
	if a.unpacked += z.EntrySize(name); a.unpacked > maxInnerBytes {
		return nil, 0, &apkfile.Error{Kind: apkfile.ErrTooLarge, Part: "ZIP", Offset: -1, What: fmt.Sprintf("its APKs unpack to more than %d bytes", int64(maxInnerBytes))}
	}
	r, err := z.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	tmp, err := os.CreateTemp("", "unasked-*.apk")
	if err != nil {
		return nil, 0, err
	}
	a.closers = append(a.closers, func() error { return errors.Join(tmp.Close(), remove(tmp.Name())) })
	size, err := io.Copy(tmp, r)
	return tmp, size, err
}

// remove removes a file that may be gone already.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// arrange puts the base first and refuses what belongs to another app.
func (a *App) arrange() error {
	bases := 0
	slices.SortStableFunc(a.parts, func(x, y *part) int { return strings.Compare(x.Split, y.Split) })
	for _, p := range a.parts {
		if p.Split == "" {
			bases++
		}
	}
	if bases == 0 {
		return fmt.Errorf("%s: %w", a.parts[0].Name, ErrNoBase)
	}
	base := a.parts[0]
	m := base.f.Manifest()
	for _, p := range a.parts[1:] {
		o := p.f.Manifest()
		switch {
		case o.Package != m.Package || o.VersionCode != m.VersionCode:
			return fmt.Errorf("%s: %w: it is of %s version %d, the base is %s version %d", p.Name, ErrStrange, o.Package, o.VersionCode, m.Package, m.VersionCode)
		case p.Split == "":
			return fmt.Errorf("%s: %w: it is a base APK itself, as %s is", p.Name, ErrStrange, base.Name)
		}
	}
	return nil
}
