package account

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever the traffic, what the client sent first is never minted.
func TestAnEchoIsNeverMinted(t *testing.T) {
	tr := newTraffic(t)
	r := rand.New(rand.NewPCG(7, 11))
	random := func() string {
		b := make([]byte, 18)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	spell := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		func(s string) string { return `{"inner":"` + s + `"}` },
		func(s string) string { return "prefix " + s + " suffix" },
	}
	for range 60 {
		id, tok := random(), random()
		noise := make([]exchange, r.IntN(5))
		for i := range noise {
			noise[i] = exchange{url: fmt.Sprintf("%s/v%d", api, i), body: object{"x": random()}, reply: object{"y": random(), "session_id": random()}}
		}
		first := exchange{url: api + "/first", body: object{"a": spell[r.IntN(len(spell))](id), "b": spell[r.IntN(len(spell))](tok)}}
		mint := exchange{url: api + "/start", reply: object{"user_id": id, "access_token": tok}}
		list := append(append([]exchange{first}, noise...), mint, use(bearer(tok)))
		if got := kinds(tr.outcomes("", list...)); strings.Contains(got, "account") {
			t.Fatalf("an echo of %s and %s became %q", id, tok, got)
		}
		// The same without the first request is an account, so the test can fail.
		if got := kinds(tr.outcomes("", append(append([]exchange{}, noise...), mint, use(bearer(tok)))...)); got != "account" {
			t.Fatalf("what was minted became %q", got)
		}
	}
}

// Flows that have nothing to do with each other may come in any order: what is found of
// each stays the same.
func TestReorderingIndependentFlowsChangesNothing(t *testing.T) {
	tr := newTraffic(t)
	r := rand.New(rand.NewPCG(3, 5))
	random := func() string {
		b := make([]byte, 18)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for round := range 25 {
		// Each service's own flows keep their order; which comes when between the others' does not.
		var services [][]exchange
		for i := range 2 + r.IntN(4) {
			host, id, tok := fmt.Sprintf("https://api.s%d-%d.example", round, i), random(), random()
			next := exchange{method: "GET", url: host + "/v1/next", headers: bearer(tok)}
			switch r.IntN(6) {
			case 0: // an account
				services = append(services, []exchange{{url: host + "/v1/start", reply: object{"user": object{"id": id}, "token": tok}}, next})
			case 1: // a session
				services = append(services, []exchange{{url: host + "/v1/start", reply: object{"token": tok}}, next})
			case 2: // an echo
				services = append(services, []exchange{{url: host + "/v1/start", body: object{"a": id}, reply: object{"user_id": id}}, {method: "GET", url: host + "/v1/next?user_id=" + id}})
			case 3: // an installation
				services = append(services, []exchange{{url: host + "/v1/devices", reply: object{"device_id": id}}, {method: "GET", url: host + "/v1/next?device_id=" + id}})
			case 4: // an account whose number anybody could guess, and its profile
				services = append(services, []exchange{
					{url: host + "/v1/start", reply: object{"uid": 10_000 + r.IntN(80_000), "token": tok}}, next,
					{method: "GET", url: host + "/v1/me", headers: bearer(tok), reply: object{"user": object{"username": "heron", "avatar": "a.png"}}}})
			case 5: // a feed
				services = append(services, []exchange{{url: host + "/v1/feed", reply: object{"items": []any{object{"user": object{"id": id}}}}}, {method: "GET", url: host + "/v1/users/" + id}})
			}
		}
		in := func() string {
			var list []exchange
			left := slices.Clone(services)
			for len(left) > 0 {
				i := r.IntN(len(left))
				list = append(list, left[i][0])
				if left[i] = left[i][1:]; len(left[i]) == 0 {
					left = slices.Delete(left, i, i+1)
				}
			}
			var out []string
			for _, o := range tr.outcomes("", list...) {
				out = append(out, fmt.Sprintf("%s %s %d %v %s", o.Host, o.Kind, o.Level, o.Used, o.Grounds))
			}
			slices.Sort(out)
			return strings.Join(out, "\n")
		}
		if a, b := in(), in(); a != b {
			t.Fatalf("in one order\n%s\nin another\n%s", a, b)
		}
	}
}
