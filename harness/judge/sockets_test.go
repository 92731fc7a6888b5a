package judge

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// An account that a WebSocket creates is one like any other.
func TestAccountOverAWebSocket(t *testing.T) {
	for name, asks := range map[string]bool{"asked for": true, "unasked": false} {
		t.Run(name, func(t *testing.T) { accountOverAWebSocket(t, asks) })
	}
}

func accountOverAWebSocket(t *testing.T, asks bool) {
	r := innocent(t)
	r.rejected()
	id := r.socket("wss://api.thing.example/socket")
	if asks {
		r.says(id, 0, true, `{"op":"anonymous_register"}`)
	}
	r.says(id, 1, false, `{"user":{"user_id":"`+userID+`"},"access_token":"`+token+`"}`)
	r.says(id, 2, true, `{"op":"feed","access_token":"`+token+`"}`)
	r.event(evidence.KindConnection, flow.Connection{Flow: id, Host: "api.thing.example", Reason: flow.Upgraded, Sent: 300, Received: 300})
	j := r.judge()
	f := j.claims(AccountCreated)
	if len(f) != 1 || f[0].Host != "api.thing.example" || verdicts(j) != "V-----" {
		j.dump(t)
		t.Fatalf("%s %+v", verdicts(j), f)
	}
	roles := map[string]string{}
	for _, p := range f[0].Proof {
		roles[p.Surface] = p.Role
	}
	if roles["ws:1"] != "minted" || !strings.HasPrefix(roles["ws:2"], "used") {
		t.Errorf("%+v", f[0].Proof)
	}
}

// An id that the app sent first is an echo, in a message as in a request.
func TestEchoOverAWebSocket(t *testing.T) {
	r := innocent(t)
	r.rejected()
	id := r.socket("wss://api.thing.example/socket")
	r.says(id, 0, true, `{"op":"hello","user_id":"`+userID+`","access_token":"`+token+`"}`)
	r.says(id, 1, false, `{"user":{"user_id":"`+userID+`"},"access_token":"`+token+`"}`)
	r.says(id, 2, true, `{"op":"feed","access_token":"`+token+`"}`)
	if j := r.judge(); verdicts(j) != "------" {
		j.dump(t)
		t.Errorf("verdicts %s", verdicts(j))
	}
}

// Messages that were read hide nothing; one that is not whole does.
func TestMessages(t *testing.T) {
	for name, c := range map[string]struct {
		play     func(r *recording, id flow.ID)
		verdicts string
	}{
		"quiet":         {func(r *recording, id flow.ID) { r.says(id, 0, true, "hello") }, "------"},
		"an identifier": {func(r *recording, id flow.ID) { r.says(id, 0, true, r.person.Value(canary.SSAID)) }, "-V-V--"},
		"cut": {func(r *recording, id flow.ID) {
			r.event(evidence.KindMessage, flow.Message{Flow: id, Sent: true, Body: flow.Body{Inline: []byte("he"), Size: 2, Cut: "it broke off"}})
		}, "??-??-"},
		"sealed": {func(r *recording, id flow.ID) { r.says(id, 0, true, string(closed(2000))) }, "??-??-"},
		"a draft": {func(r *recording, id flow.ID) {
			r.event(evidence.KindMessage, flow.Message{Flow: id, Sent: true, Binary: true, Body: flow.Body{Blob: r.blob(clip(50_000)), Size: 50_000}})
		}, "----V-"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.rejected()
			id := r.socket("wss://push.example/s")
			c.play(r, id)
			r.event(evidence.KindConnection, flow.Connection{Flow: id, Host: "push.example", Reason: flow.Upgraded, Sent: 300, Received: 300})
			j := r.judge()
			if got := verdicts(j); got != c.verdicts {
				t.Errorf("verdicts %s, want %s: %+v", got, c.verdicts, j.BlindSpots)
			}
		})
	}
}
