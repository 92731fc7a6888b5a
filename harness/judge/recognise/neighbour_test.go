package recognise

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
)

// A mailbox that ends or begins as a canary does is somebody else's, in whatever encoding.
func TestAnotherMailbox(t *testing.T) {
	n, o := tools(t)
	mail := person.Value(canary.Email)
	ways := map[string]func(string) string{
		"as it is": func(v string) string { return v },
		"hex":      func(v string) string { return hex.EncodeToString([]byte(v)) },
		"base32":   func(v string) string { return base32.StdEncoding.EncodeToString([]byte(v)) },
		"reversed": turned,
	}
	for shift := range 3 { // bytes before it
		ways[fmt.Sprint("base64 ", shift)] = func(v string) string {
			return base64.StdEncoding.EncodeToString([]byte("|||"[:shift] + v))
		}
	}
	other := []string{"q" + mail, "x." + mail, "7+" + mail, mail + "pany", mail + ".tr", mail[:len(mail)-1] + "y", mail[:len(mail)-1]}
	for name, write := range ways {
		for _, v := range other {
			if hits := hitsIn(n, o, body(fmt.Sprintf(`{"v":%q}`, write(v)))); len(hits) > 0 {
				t.Errorf("%s of %s is no canary's: %v %.2f", name, v, hits[0].Chain, hits[0].Confidence)
			}
		}
		for _, v := range []string{mail, "<" + mail + ">", "a:" + mail + "|", mail + "."} {
			hits := hitsIn(n, o, body(fmt.Sprintf(`{"v":%q}`, write(v))))
			if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Value == mail }) {
				t.Errorf("%s of %s was not found", name, v)
			}
		}
	}
}
