package judge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// A digest that was made with a salt that stands in the app is recognised for all that.
func TestSaltOfTheApp(t *testing.T) {
	const salt = "pk_live_7Ry2wQ"
	files := map[string]string{"assets/www/app.js": "const a = 1, key = '" + salt + "';\n"}
	digest := func(r *recording, value string) string {
		sum := sha256.Sum256([]byte(salt + value))
		return hex.EncodeToString(sum[:])
	}
	r := innocent(t)
	r.apk(files)
	r.rejected()
	r.ask(message{url: "https://ads.example/a?h=" + digest(r, r.person.Value(canary.Email))}, map[string]any{})
	r.ask(message{url: "https://ads.example/b", headers: jsonType, body: asJSON(map[string]any{"u": digest(r, r.person.Value(canary.Email))})}, map[string]any{})
	m := hmac.New(sha256.New, []byte(salt))
	m.Write([]byte(r.person.Value(canary.SSAID)))
	r.ask(message{url: "https://ads.example/c?h=" + hex.EncodeToString(m.Sum(nil))}, map[string]any{})
	r.ask(message{url: "https://ads.example/d?h=" + digest(r, "somebody else's")}, map[string]any{})
	ev := r.seal()
	j := judged(t, ev)
	if got := verdicts(j); got != "-V-V--" {
		j.dump(t)
		t.Errorf("verdicts %s", got)
	}
	kinds := map[string]int{}
	for _, f := range j.claims(IdentifierSent) {
		kinds[f.Subject] += len(f.Proof)
		if f.Confidence < sure || !strings.Contains(f.Reason, "text of the app") {
			t.Errorf("%+v", f)
		}
	}
	if len(kinds) != 2 || kinds["email"] != 2 || kinds["ssaid"] != 1 {
		t.Errorf("%v", kinds)
	}
	kb, _ := base()
	var got []string
	for s, err := range Sightings(t.Context(), ev, kb) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %v", s.Kind, s.Where, s.Chain))
	}
	want := []string{"email url [sha256 hex]", "email body:$.u [sha256 hex]", "ssaid url [hmac-sha256 hex]"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// Without the app, nothing explains them.
	r = innocent(t)
	r.rejected()
	r.ask(message{url: "https://ads.example/a?h=" + digest(r, r.person.Value(canary.Email))}, map[string]any{})
	if f := r.judge().claims(IdentifierSent); len(f) != 0 {
		t.Errorf("%+v", f)
	}
	// An APK that is none is said, and stops nothing.
	r = innocent(t)
	r.app.Files = []evidence.File{{Name: "base.apk", Blob: r.blob([]byte("no archive")), Size: 10}}
	r.event(evidence.KindApp, r.app)
	r.rejected()
	r.ask(message{url: "https://ads.example/a?h=" + digest(r, r.person.Value(canary.Email))}, map[string]any{})
	if j := r.judge(); verdicts(j) != "------" || !strings.Contains(fmt.Sprint(j.BlindSpots), "base.apk could not be read, and were not tried as salts") {
		t.Errorf("%s %+v", verdicts(j), j.BlindSpots)
	}
}

func TestQuoted(t *testing.T) {
	var got []string
	if !quoted([]byte("a=\"one\", b='it`s', c=`two` \"\" 'line\nbreak' \""+strings.Repeat("x", 200)+"\" open='"), func(s string) bool { got = append(got, s); return true }) {
		t.Error("it stopped")
	}
	if !slices.Contains(got, "one") || !slices.Contains(got, "it`s") || slices.ContainsFunc(got, func(s string) bool { return len(s) > longestQuoted || strings.Contains(s, "\n") }) {
		t.Errorf("%q", got)
	}
	if quoted([]byte(`"one" "two"`), func(string) bool { return false }) {
		t.Error("it did not stop")
	}
	quoted([]byte("\x00\x01\x02\x03\"one\""), func(s string) bool { t.Errorf("%q in what is no text", s); return true })
}
