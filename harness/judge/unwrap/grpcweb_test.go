package unwrap

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/unasked-audit/unasked/harness/flow"
)

// A body of grpc-web-text may hold several runs of base64, each with its own padding, that end anywhere.
func TestGRPCWebText(t *testing.T) {
	o, err := New(Containers(), nil)
	if err != nil {
		t.Fatal(err)
	}
	message := "\n\x17canary.mail@example.org"
	frames := "\x00\x00\x00\x00\x19" + message + "\x80\x00\x00\x00\x0fgrpc-status: 0\r"
	body := base64.StdEncoding.EncodeToString([]byte(frames[:13])) + base64.StdEncoding.EncodeToString([]byte(frames[13:]))
	found := 0
	o.Walk(Message{
		URL: "https://example.org/", Headers: []flow.Header{{Name: "Content-Type", Value: "application/grpc-web-text+proto"}}, Body: []byte(body),
	}, func(p *Part) {
		switch string(p.Data) {
		case "canary.mail@example.org":
			if p.Surface() != "body:$.1" || !slices.Equal(p.Chain, []string{"base64"}) {
				t.Errorf("%s %v", p.Surface(), p.Chain)
			}
			found++
		case "grpc-status: 0\r":
			found++
		}
	})
	if found != 2 {
		t.Errorf("%d of 2 were shown", found)
	}
}
