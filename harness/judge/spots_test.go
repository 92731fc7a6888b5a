package judge

import (
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
