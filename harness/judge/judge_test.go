package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

const (
	userID   = "7412093846120348712"
	token    = "Zk3vQ9xW_s1LmT7bRyUe2HcJ0oNa4PdGf6Xi8KqVwY5"
	deviceID = "7598234765982346512"
)

// clip is a recording that no other holds.
func clip(n int) []byte {
	r := rand.New(rand.NewChaCha8([32]byte{1, 2, 3}))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// guilty records an app that does what the 2019 complaint describes.
func guilty(t *testing.T) *recording {
	r := record(t)
	r.apk(map[string]string{"assets/www/app.js": "const KEY='5f6c1d2eb4739632429e8c01';"})
	r.untouched()
	p := r.person
	r.ask(message{url: "https://log.clipshare.example/service/2/device_register/", headers: jsonType, body: asJSON(map[string]any{
		"magic_tag": "ss_app_log", "header": map[string]any{"openudid": p.Value(canary.SSAID), "google_aid": p.Value(canary.AdvertisingID)},
	})}, map[string]any{"device_id": 7598234765982346512, "device_id_str": deviceID, "install_id_str": "7612093846120348713", "new_user": 1})
	r.ask(message{url: "https://api.clipshare.example/v1/users/anonymous", headers: jsonType, body: asJSON(map[string]any{
		"device_uid": p.Value(canary.SSAID), "nonce": "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1",
	})}, map[string]any{
		"user": map[string]any{"id": userID, "username": "clipper_20348712", "is_anonymous": true}, "access_token": token,
		"request_nonce": "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1",
	})
	r.ask(message{method: "GET", url: "https://api.clipshare.example/v1/feed?device_id=" + deviceID, headers: bearer(token)},
		map[string]any{"items": []any{}, "cursor": "q8Zt4bVn2LxK9mRw3Jy7Pd5S"})
	bugly := asJSON(map[string]any{"device": map[string]any{"androidId": p.Value(canary.SSAID), "gaid": p.Value(canary.AdvertisingID)}})
	send := func() {
		r.ask(message{url: "https://android.bugly.qq.com/rqd/async", headers: append([]flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, jsonType...), body: gzipped(bugly)}, map[string]any{})
		r.ask(message{url: "https://ulogs.umeng.com/unify_logs", headers: formType,
			body: form("content", base64.StdEncoding.EncodeToString(bugly), "v", "9")}, map[string]any{})
		sum := sha256.Sum256([]byte(p.Value(canary.Email)))
		lat, lon, _ := strings.Cut(p.Value(canary.Location), ",")
		r.ask(message{method: "GET", url: "https://bid.adreach.example/v1/match?he=" + hex.EncodeToString(sum[:]) + "&lat=" + lat + "&lon=" + lon}, map[string]any{})
	}
	send()
	r.private(map[string]string{"shared_prefs/clipshare_session.xml": `<map><string name="access_token">` + token + `</string><string name="ssaid">` + p.Value(canary.SSAID) + `</string></map>`})
	r.event(evidence.KindAccounts, evidence.Accounts{
		Accounts: []evidence.Account{{Name: p.Value(canary.Email), Type: "com.example"}, {Name: "clipper_20348712", Type: "org.example.clipshare"}},
		History:  []evidence.AccountAction{{Action: "action_account_add", At: "2026-01-31 12:00:00", UID: appUID}},
	})
	r.rejected()
	send()
	r.in("A", "drafted", "draft", evidence.Rejected)
	film := clip(100_000)
	r.draft(film)
	for at := 70_000; at >= 0; at -= 10_000 { // most of it, in pieces, in the wrong order
		r.ask(message{method: "PUT", url: "https://upload.clipshare.example/v1/drafts/x/parts/1", headers: append(bearer(token), flow.Header{Name: "Content-Type", Value: "application/octet-stream"}), body: film[at : at+10_000]}, map[string]any{})
	}
	points := make([][2]float64, 106)
	for i := range points {
		points[i] = [2]float64{float64(i) / 106, 0.5}
	}
	r.ask(message{url: "https://api.clipshare.example/v1/effects/face", headers: jsonType, body: asJSON(map[string]any{"model": "face-106", "landmarks": points})}, map[string]any{})
	return r
}

func TestGuilty(t *testing.T) {
	j := guilty(t).judge()
	if testing.Verbose() {
		j.dump(t)
	}
	if j.Verdict != Violated || j.Ladder != 3 {
		t.Errorf("verdict %s, ladder %d", j.Verdict, j.Ladder)
	}
	for _, q := range j.Questions {
		if q.Verdict != Violated || len(q.Findings) == 0 {
			t.Errorf("%s: %s, %v", q.ID, q.Verdict, q.Findings)
		}
	}
	if len(j.Decoys.Matches) != 0 || j.Decoys.Decoys != 15 {
		t.Errorf("decoys: %+v", j.Decoys)
	}
	want := map[string]string{ // claim, subject, host → surface and chain of the first proof
		"identifier-sent ssaid android.bugly.qq.com":                              "body:$.device.androidId gzip",
		"identifier-sent advertising_id android.bugly.qq.com":                     "body:$.device.gaid gzip",
		"identifier-sent ssaid ulogs.umeng.com":                                   "body:$.content.device.androidId base64",
		"identifier-sent advertising_id ulogs.umeng.com":                          "body:$.content.device.gaid base64",
		"identifier-sent email bid.adreach.example":                               "url sha256 hex",
		"identifier-sent location bid.adreach.example":                            "url",
		"identifier-sent ssaid api.clipshare.example":                             "body:$.device_uid",
		"identifier-sent ssaid log.clipshare.example":                             "body:$.header.openudid",
		"identifier-sent advertising_id log.clipshare.example":                    "body:$.header.google_aid",
		"installation-issued ByteDance applog log.clipshare.example":              "url",
		"account-created api.clipshare.example api.clipshare.example":             "url",
		"draft-uploaded draft upload.clipshare.example":                           "body",
		"feature-vector-sent face-106 api.clipshare.example":                      "body:$.landmarks",
		"device-account-added org.example.clipshare ":                             "device",
		"credentials-kept account of api.clipshare.example api.clipshare.example": "file:shared_prefs/clipshare_session.xml",
		"identifier-on-device ssaid ":                                             "file:shared_prefs/clipshare_session.xml",
	}
	for _, f := range j.Findings {
		key := string(f.Claim) + " " + f.Subject + " " + f.Host
		got := strings.TrimSpace(f.Proof[0].Surface + " " + strings.Join(f.Proof[0].Chain, " "))
		if want[key] == "" {
			t.Errorf("unexpected: %s at %s", key, got)
		} else if want[key] != got {
			t.Errorf("%s stands at %q, want %q", key, got, want[key])
		}
		delete(want, key)
		if f.Grounds == "" || f.Title == "" || f.Phase == "" || f.ID == "" || f.Seen != (Repeats{1, 1}) {
			t.Errorf("%s is not whole: %+v", key, f)
		}
	}
	for key := range want {
		t.Errorf("missing: %s", key)
	}
}

func TestSameBytesAgain(t *testing.T) {
	ev := guilty(t).seal()
	first, err := judged(t, ev).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := judged(t, ev).Encode()
		if err != nil || !bytes.Equal(first, again) {
			t.Fatal("the same evidence gave other bytes")
		}
	}
}
