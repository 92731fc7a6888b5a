package judge

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// over is a request that was read, of a TLS client with a fingerprint.
func (r *recording) over(fingerprint string) {
	r.event(evidence.KindRequest, flow.Request{
		Flow: "over", Method: "GET", URL: "https://api.pantry.example/v1/recipes",
		TLS: &flow.TLS{Version: "TLS 1.3", SNI: "api.pantry.example", Fingerprint: fingerprint},
	})
}

// A request that looks like the system's own check hides nothing that it carries.
func TestTrapsHideNoCanary(t *testing.T) {
	for name, send := range map[string]func(ssaid string) message{
		"another host": func(id string) message {
			return message{url: "https://collect.adnet.example/generate_204", headers: jsonType, body: asJSON(map[string]any{"id": id})}
		},
		"a host that is named like one": func(id string) message {
			return message{url: "https://connectivitycheck.adnet.example/x", headers: jsonType, body: asJSON(map[string]any{"id": id})}
		},
		"body": func(id string) message {
			return message{url: "https://connectivitycheck.gstatic.com/generate_204", body: []byte(id)}
		},
		"query": func(id string) message {
			return message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204?id=" + id}
		},
		"cookie": func(id string) message {
			return message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204", headers: []flow.Header{{Name: "cookie", Value: "id=" + id}}}
		},
		"header": func(id string) message {
			return message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204", headers: []flow.Header{{Name: "User-Agent", Value: "check/" + id}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.ask(send(r.person.Value(canary.SSAID)), nil)
			if j := r.judge(); verdicts(j)[1] != 'V' || j.Coverage.Flows != 7 {
				j.dump(t)
				t.Errorf("verdicts %s, %d flows", verdicts(j), j.Coverage.Flows)
			}
		})
	}
	r := innocent(t)
	r.ask(message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204"}, nil)
	if j := r.judge(); verdicts(j) != "------" || j.Coverage.Flows != 6 || len(j.Recipients) != 1 {
		t.Errorf("the system's check is counted: %s, %+v", verdicts(j), j.Coverage)
	}
	// Nor a value that a service minted.
	r = innocent(t)
	r.ask(message{url: "https://api.pantry.example/v1/guest", headers: jsonType, body: []byte("{}")}, map[string]any{"user": map[string]any{"id": userID}, "access_token": token})
	r.ask(message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204", headers: bearer(token)}, nil)
	if j := r.judge(); verdicts(j)[0] != 'V' {
		j.dump(t)
		t.Errorf("an account that is used in a check is not seen: %s", verdicts(j))
	}
}

// A body that is no text may hold an identifier that is encrypted, however short it is.
func TestShortBinaryBodies(t *testing.T) {
	cipher := clip(48)[16:48]
	small := "\x08\x96\x01\x12\x07testing\x1a\xff\xfe\x80\x81\x00\x01\x02\x03\x04"
	for name, c := range map[string]struct {
		message
		hides bool
	}{
		"32 bytes of ciphertext":   {message{body: cipher}, true},
		"the same in base64":       {message{body: []byte(base64.StdEncoding.EncodeToString(cipher))}, true},
		"in base64, quoted":        {message{headers: jsonType, body: []byte(`"` + base64.StdEncoding.EncodeToString(cipher) + `"`)}, true},
		"in base64 for addresses":  {message{body: []byte(base64.RawURLEncoding.EncodeToString(cipher) + "\n")}, true},
		"in hexadecimal":           {message{body: []byte(hex.EncodeToString(cipher))}, true},
		"compressed":               {message{headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, body: gzipped(cipher)}, true},
		"one block":                {message{body: cipher[:16]}, true},
		"a format that is unknown": {message{body: []byte(small)}, true},
		"a part of a form":         {message{headers: []flow.Header{{Name: "Content-Type", Value: "multipart/form-data; boundary=b"}}, body: []byte("--b\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\n" + string(cipher) + "\r\n--b--\r\n")}, true},
		"a field of a form":        {message{headers: formType, body: form("d", string(cipher))}, true},
		"fewer than a block":       {message{body: cipher[:15]}, false},
		"a token in JSON":          {message{headers: jsonType, body: asJSON(map[string]any{"cursor": base64.StdEncoding.EncodeToString(cipher)})}, false},
		"a token in a form":        {message{headers: formType, body: form("cursor", base64.StdEncoding.EncodeToString(cipher))}, false},
		"a word":                   {message{body: []byte("onboardingCompletedAtLast")}, false},
		"a UUID":                   {message{body: []byte("6ba7b810-9dad-41d1-80b4-00c04fd430c8")}, false},
		"text in another script":   {message{body: []byte("こんにちは、世界。今日はいい天気ですね")}, false},
		"a picture":                {message{body: append([]byte("\x89PNG\r\n\x1a\n"), cipher...)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.rejected()
			c.url = "https://x.example/"
			r.ask(c.message, nil)
			want := "------"
			if c.hides {
				want = "-?-?--"
			}
			if j := r.judge(); verdicts(j) != want {
				j.dump(t)
				t.Errorf("verdicts %s, want %s", verdicts(j), want)
			}
		})
	}
}

// What was not read is not said to be empty.
func TestPrivateFilesThatWereNotRead(t *testing.T) {
	r := record(t).untouched().quiet()
	r.locked = true
	j := r.judge()
	if j.verdict(QuestionDeviceAccount) != Inconclusive || !strings.Contains(because(j, QuestionDeviceAccount), "private files were not read") {
		t.Errorf("%s: %s", j.verdict(QuestionDeviceAccount), because(j, QuestionDeviceAccount))
	}
	j = innocent(t).judge()
	if got := because(j, QuestionDeviceAccount); j.verdict(QuestionDeviceAccount) != NotObserved || !strings.Contains(got, "private files hold no account") {
		t.Errorf("%s: %s", j.verdict(QuestionDeviceAccount), got)
	}
}

func TestPrivateFilesThatAreTooLong(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 64 MiB")
	}
	r := innocent(t)
	r.private(map[string]string{"databases/big.db": strings.Repeat("\x00", longestEntry) + "x"})
	if j := r.judge(); verdicts(j) != "-----?" || !strings.Contains(because(j, QuestionDeviceAccount), "databases/big.db") {
		t.Errorf("%s: %s", verdicts(j), because(j, QuestionDeviceAccount))
	}
}

// Only what the device took is said to have been looked for.
func TestOnlyWhatWasPlantedIsCounted(t *testing.T) {
	r := record(t)
	kinds := map[canary.Kind]bool{canary.IMEI: true, canary.Serial: true, canary.MAC: true}
	r.untouched().quiet()
	for _, c := range r.person.Canaries {
		if kinds[c.Kind] {
			r.event(evidence.KindPlanting, evidence.Planting{Kind: string(c.Kind), Value: c.Value, Error: "no interface sets it"})
		}
	}
	whole := because(r.judge(), QuestionIdentifier)

	r = record(t)
	r.event(evidence.KindApp, r.app)
	for _, c := range r.person.Canaries {
		r.event(evidence.KindPlanting, evidence.Planting{Kind: string(c.Kind), Value: c.Value, OK: !kinds[c.Kind]})
	}
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.quiet()
	some := because(r.judge(), QuestionIdentifier)
	if !strings.Contains(whole, "the 15 planted identifiers") || !strings.Contains(some, "the 12 planted identifiers") {
		t.Errorf("%s\n%s", whole, some)
	}
}

func because(j *Judgement, id string) string {
	for _, q := range j.Questions {
		if q.ID == id {
			return q.Because
		}
	}
	return ""
}
