package judge

import (
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// What a connection without readable HTTP carries is searched all the same.
func TestConnections(t *testing.T) {
	frame := func(text string) []byte { return append([]byte{0x81, byte(len(text))}, text...) }
	connection := func(r *recording, reason string, sent []byte) {
		c := flow.Connection{Flow: "c1", Host: "push.example", Port: 5224, Reason: reason, Sent: int64(len(sent)), Up: flow.Body{Blob: r.blob(sent), Size: int64(len(sent))}}
		r.event(evidence.KindConnection, c)
	}
	for name, c := range map[string]struct {
		reason   string
		sent     func(ssaid string) []byte
		surface  string
		verdicts string
	}{
		"another protocol":            {flow.NoHTTP, func(id string) []byte { return []byte("\x01\x02\x10" + id + "\x00") }, "body", "?VV-?-"},
		"another protocol, and quiet": {flow.NoHTTP, func(string) []byte { return []byte("\x01\x02\x10hello\x00") }, "", "???-?-"},
		"a control frame of HTTP/2": {flow.NoHTTP, func(id string) []byte {
			return []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" + "\x00\x00\x18\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + id)
		}, "body", "?VV-?-"},
		"WebSocket":            {flow.Upgraded, func(id string) []byte { return frame(`{"id":"` + id + `"}`) }, "ws:0", "?VV---"},
		"WebSocket, and quiet": {flow.Upgraded, func(string) []byte { return frame("hello") }, "", "?-----"},
		"opened in advance":    {flow.Unused, func(string) []byte { return nil }, "", "------"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.in("A", "again", "launch", evidence.Untouched)
			connection(r, c.reason, c.sent(r.person.Value(canary.SSAID)))
			j := r.judge()
			if got := verdicts(j); got != c.verdicts {
				j.dump(t)
				t.Errorf("verdicts %s, want %s", got, c.verdicts)
			}
			f := j.claims(IdentifierSent)
			if (c.surface == "") != (len(f) == 0) || len(f) == 1 && (f[0].Proof[0].Surface != c.surface || f[0].Host != "push.example" || f[0].Proof[0].Blob == "") {
				t.Errorf("%+v", f)
			}
		})
	}
	// The request that could not be delivered was read: nothing is hidden.
	r := innocent(t)
	id := r.request(message{method: "GET", url: "https://down.example/"})
	r.event(evidence.KindConnection, flow.Connection{Flow: id, Host: "down.example", Reason: flow.NoOrigin})
	if got := verdicts(r.judge()); got != "------" {
		t.Errorf("a request that was read hides something: %s", got)
	}
	r = innocent(t)
	r.event(evidence.KindConnection, flow.Connection{Flow: "c9", Host: "down.example", Reason: flow.NoOrigin})
	if got := verdicts(r.judge()); got != "??-??-" {
		t.Errorf("a request that was not read hides nothing: %s", got)
	}
}
