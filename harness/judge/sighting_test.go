package judge

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// sightings are those of a recording, in short: direction, kind, where, chain and host.
func sightings(t *testing.T, r *recording) (list []string) {
	t.Helper()
	kb, err := base()
	if err != nil {
		t.Fatal(err)
	}
	for s, err := range Sightings(t.Context(), r.seal(), kb) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Confidence <= 0 || s.Confidence > 1 || s.Reason == "" || s.Excerpt == "" || s.Event == 0 || s.Value == "" {
			t.Errorf("a sighting lacks something: %+v", s)
		}
		kind := s.Kind
		if s.Decoy {
			kind = "decoy " + kind
		}
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %v %s", s.Flow, s.Direction, kind, s.Where, s.Chain, s.Host)))
	}
	return list
}

// socket is a request that asks for a WebSocket, and its answer.
func (r *recording) socket(url string) flow.ID {
	id := r.request(message{method: "GET", url: url, headers: []flow.Header{{Name: "Upgrade", Value: "websocket"}}})
	r.response(id, message{status: 101, headers: []flow.Header{{Name: "Upgrade", Value: "websocket"}}})
	return id
}

// says adds a message of a WebSocket.
func (r *recording) says(id flow.ID, n int, sent bool, text string) {
	m := flow.Message{Flow: id, Index: n, At: r.clock, Sent: sent, Body: flow.Body{Inline: []byte(text), Size: int64(len(text))}}
	r.event(evidence.KindMessage, m)
}

// Every place of every message, both ways, whatever else was found there.
func TestSightings(t *testing.T) {
	r := record(t)
	ssaid, gaid, mail, phone := r.person.Value(canary.SSAID), r.person.Value(canary.AdvertisingID), r.person.Value(canary.Email), r.person.Value(canary.Phone)
	b64 := base64.StdEncoding.EncodeToString([]byte(`{"id":"` + ssaid + `"}`))
	id := r.request(message{
		url: "https://api.doubleclick.net/x?d=" + ssaid,
		headers: []flow.Header{
			{Name: "X-Device", Value: b64}, {Name: "Cookie", Value: "a=1; uid=" + gaid}, jsonType[0],
		},
		body: asJSON(map[string]any{"a": map[string]any{"mail": mail}, "again": mail, "twice": ssaid + " and " + ssaid}),
	})
	q := flow.Response{
		Flow: id, Status: 200, Headers: []flow.Header{{Name: "Set-Cookie", Value: "uid=" + gaid + "; Path=/"}, jsonType[0]},
		Trailers: []flow.Header{{Name: "X-Trace", Value: ssaid}},
		Interim:  []flow.Interim{{Status: 103, Headers: []flow.Header{{Name: "Link", Value: "</" + gaid + ">"}}}},
	}
	text := `{"you":"` + mail + `"}`
	q.Body = flow.Body{Inline: []byte(text), Size: int64(len(text))}
	r.event(evidence.KindResponse, q)
	sock := r.socket("wss://push.example/s")
	r.says(sock, 0, true, `{"id":"`+ssaid+`"}`)
	r.says(sock, 1, false, `hello `+phone)
	// What stands in the log as messages is not counted a second time.
	frame := append([]byte{0x81, byte(len(ssaid))}, ssaid...)
	r.event(evidence.KindConnection, flow.Connection{Flow: sock, Host: "push.example", Reason: flow.Upgraded, Sent: 20, Up: flow.Body{Inline: frame, Size: int64(len(frame))}})
	raw := "\x01\x02" + gaid + "\x00"
	r.event(evidence.KindConnection, flow.Connection{
		Flow: "c1", Host: "tcp.example", Port: 5224, Reason: flow.NoHTTP, SNI: ssaid + ".sni.example",
		Up: flow.Body{Inline: []byte(raw), Size: int64(len(raw))}, Down: flow.Body{Blob: r.blob([]byte(raw)), Size: int64(len(raw))},
	})
	r.event(evidence.KindQuery, flow.Query{Name: ssaid + ".t.criteo.com", Type: "A", Via: "udp"})
	r.request(message{method: "GET", url: "https://x.example/?q=" + r.decoys.Value(canary.SSAID)})
	got := sightings(t, r)
	want := []string{
		"f1 request ssaid url [] api.doubleclick.net",
		"f1 request ssaid header:X-Device [base64] api.doubleclick.net",
		"f1 request advertising_id cookie:uid [] api.doubleclick.net",
		"f1 request email body:$.a.mail [] api.doubleclick.net",
		"f1 request email body:$.again [] api.doubleclick.net",
		"f1 request ssaid body:$.twice [] api.doubleclick.net",
		"f1 response advertising_id cookie:uid [] api.doubleclick.net",
		"f1 response ssaid header:X-Trace [] api.doubleclick.net",
		"f1 response advertising_id header:Link [] api.doubleclick.net",
		"f1 response email body:$.you [] api.doubleclick.net",
		"f2 request ssaid ws:0 [] push.example",
		"f2 response phone ws:1 [] push.example",
		"c1 request advertising_id body [] " + ssaid + ".sni.example",
		"c1 request ssaid host [] " + ssaid + ".sni.example",
		"c1 response advertising_id body [] " + ssaid + ".sni.example",
		"request ssaid host [] t.criteo.com",
		"f3 request decoy ssaid url [] x.example",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An owner stands with every host that has one.
func TestSightingsOwners(t *testing.T) {
	r := record(t)
	r.request(message{method: "GET", url: "https://ads.doubleclick.net/?q=" + r.person.Value(canary.SSAID)})
	kb, _ := base()
	for s, err := range Sightings(t.Context(), r.seal(), kb) {
		if err != nil || !strings.Contains(s.Owner, "Google") {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

func TestSightingsOfBrokenEvidence(t *testing.T) {
	kb, _ := base()
	ev := innocent(t).seal()
	torn := fmt.Errorf("torn")
	for _, err := range Sightings(t.Context(), broken{ev, torn}, kb) {
		if err == nil || !strings.Contains(err.Error(), "torn") {
			t.Errorf("error %v", err)
		}
	}
	for s, err := range Sightings(t.Context(), broken{ev, nil}, kb) {
		if err != nil || s.Value == "" {
			t.Errorf("blobs that can't be read: %v", err)
		}
	}
}

// What a service answers with, and nobody was seen sending, was sent unseen.
func TestIdentifiersInAnswers(t *testing.T) {
	mail := func(r *recording) string { return r.person.Value(canary.Email) }
	digest := func(r *recording) string { return hex.EncodeToString([]byte(r.person.Value(canary.Email))) }
	for name, c := range map[string]struct {
		play     func(r *recording)
		unseen   bool
		level    int
		verdicts string
	}{
		"never seen leaving": {func(r *recording) {
			r.ask(message{url: "https://api.thing.example/me"}, map[string]any{"you": mail(r)})
		}, true, 1, "-V----"},
		"disguised": {func(r *recording) {
			r.ask(message{url: "https://api.thing.example/me"}, map[string]any{"you": digest(r)})
		}, true, 1, "-V----"},
		"an echo": {func(r *recording) {
			r.ask(message{url: "https://api.thing.example/me?m=" + mail(r)}, map[string]any{"you": mail(r)})
		}, false, 0, "-V-V--"},
		"seen leaving to another host": {func(r *recording) {
			r.ask(message{url: "https://other.example/?m=" + mail(r)}, map[string]any{})
			r.ask(message{url: "https://api.thing.example/me"}, map[string]any{"you": mail(r)})
		}, false, 0, "-V-V--"},
		"seen leaving on a connection that ended later": {func(r *recording) {
			r.ask(message{url: "https://api.thing.example/me"}, map[string]any{"you": mail(r)})
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "tcp.example", Reason: flow.NoHTTP, Up: flow.Body{Inline: []byte(mail(r)), Size: int64(len(mail(r)))}})
		}, false, 0, "?V-V?-"},
		"in a message of a WebSocket": {func(r *recording) {
			r.says(r.socket("wss://api.thing.example/s"), 0, false, `{"you":"`+mail(r)+`"}`)
		}, true, 1, "-V----"},
		"by another app": {func(r *recording) {
			r.ask(message{url: "https://api.thing.example/me", uid: 1000}, map[string]any{"you": mail(r)})
		}, false, -1, "------"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.rejected()
			c.play(r)
			j := r.judge()
			if got := verdicts(j); got != c.verdicts {
				j.dump(t)
				t.Errorf("verdicts %s, want %s", got, c.verdicts)
			}
			f := j.claims(IdentifierReturned)
			if c.level < 0 {
				if len(f) != 0 {
					t.Errorf("%+v", f)
				}
				return
			}
			if len(f) != 1 || f[0].Unseen != c.unseen || f[0].Level != c.level || f[0].Host != "api.thing.example" || f[0].Proof[0].Side != Received || f[0].Confidence < sure {
				t.Errorf("%+v", f)
			}
			if j.Ladder != max(c.level, len(j.claims(IdentifierSent))) {
				t.Errorf("ladder %d", j.Ladder)
			}
		})
	}
	r := innocent(t)
	r.ask(message{url: "https://api.thing.example/me"}, map[string]any{"you": r.decoys.Value(canary.Email)})
	if j := r.judge(); len(j.Decoys.Matches) != 1 {
		t.Errorf("a decoy in an answer is no match: %+v", j.Decoys)
	}
}

// What is less sure than not is told, and violates nothing.
func TestPossible(t *testing.T) {
	fs := newFindings()
	f := Finding{Claim: IdentifierSent, Subject: "ssaid", Host: "x.example", Possible: true}
	fs.add(f, sighting{Pointer: Pointer{Confidence: 0.3, Reason: "a guess"}})
	f.Possible, f.Level = false, 1
	fs.add(f, sighting{Pointer: Pointer{Confidence: 0.9, Reason: "long"}})
	fs.add(f, sighting{Pointer: Pointer{Confidence: 0.7, Reason: "short"}})
	if len(fs.order) != 2 || fs.order[0].id() == fs.order[1].id() || fs.order[1].Confidence != 0.9 || fs.order[1].Reason != "long" {
		t.Errorf("%+v", fs.order)
	}
	for _, q := range questions() {
		if q.violates(fs.order[0]) {
			t.Errorf("%s is violated by what is only possible", q.id)
		}
	}
}
