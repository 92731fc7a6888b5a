package recognise

import (
	"bytes"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/internal/disguise"
)

// What is written must be what the library writes, to the bit: only then are digests of it known.
func TestLZStringIsWrittenAsTheLibraryDoes(t *testing.T) {
	// compressToBase64("hello"), by lz-string 1.5.
	if got := string(toLZBase64([]byte("hello"))); got != "BYUwNmD2Q===" {
		t.Errorf("hello is written as %s", got)
	}
	values := []string{"a", "aa", "aaaaaaaaaaaaaaa", "26122MTW1094ZB", "fb6d5b8d-01db-4317-81fa-cc6e102761d3", "Zoë Weißhäupler", "日本語の名前", "😀😀 twice", strings.Repeat("abcabd", 300)}
	for name, write := range map[string]func([]byte) []byte{"base64": toLZBase64, "uri": toLZURI, "utf16": toLZUTF16, "bytes": toLZBytes} {
		d, _ := disguise.Named("lzstring/" + name)
		for _, v := range values {
			want := d.Encode([]byte(v), nil)
			if got := write([]byte(v)); !bytes.Equal(got, want) {
				t.Errorf("%s of %.20q is\n%q and should be\n%q", name, v, got, want)
			}
		}
	}
	if got := toLZBase64(nil); string(got) != "Q===" {
		t.Errorf("nothing is written as %s", got)
	}
}
