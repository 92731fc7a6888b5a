package apk

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// FuzzDescribe describes whole files, with a resource, bytecode and a library that lie.
func FuzzDescribe(f *testing.F) {
	kb := carried(f)
	whole := apps.Pantry().APK
	f.Add(whole[:0], dexOf([]string{"com.umeng.A"}, "some string"), []byte("\x7fELF"))
	f.Add(with(f, map[string][]byte{"classes.dex": dexOf([]string{"a.B"})}), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, file, dex, library []byte) {
		if len(file) == 0 {
			file = with(t, map[string][]byte{"classes.dex": dex, "lib/x86/liba.so": library})
		}
		x, err := apkfile.Read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		a := &App{Format: "apk", parts: []*part{{File: File{Name: "x.apk", Size: int64(len(file)), SHA256: sha256Hex(file)}, f: x}}}
		d, err := a.Describe(t.Context(), kb)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := a.WriteJSON(t.Context(), &out, d, Lists{Classes: true, Strings: true, Methods: true}); err != nil || !json.Valid(out.Bytes()) {
			t.Errorf("%v\n%s", err, &out)
		}
		if err := d.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
