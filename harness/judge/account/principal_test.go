package account

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The ids that a service answers with in one arm run after the other can be compared,
// whether or not an earlier run had them.
func TestPrincipals(t *testing.T) {
	tr := newTraffic(t)
	arm := func(label string, installed int, list ...exchange) []exchange {
		for i := range list {
			list[i].arm, list[i].installed = label, installed
		}
		return list
	}
	start := func(id, tok string) []exchange {
		return []exchange{
			{url: api + "/v1/start", body: object{"n": 1}, reply: object{"user": object{"id": id}, "access_token": tok}},
			{url: api + "/v1/feed", headers: bearer(tok), reply: object{"items": []any{object{"user": object{"id": uuid2}}}}},
		}
	}
	session := func(n int) string { return fmt.Sprintf("%s%02dq", token[:40], n) }
	list := slices.Concat(
		arm("A", 1, start(number, session(1))...),
		arm("B", 2, start(number, session(2))...),
		arm("D", 3, start("7412093846120348799", session(3))...),
		// Brought back with the app's own data: the service did not remember it.
		arm("backup", 4, append([]exchange{{url: api + "/v1/hello?user=" + number}}, start(number, session(4))...)...),
		arm("A", 1, exchange{url: "https://firebaseinstallations.googleapis.com/v1/projects/p/installations", body: object{"authVersion": "FIS_v2", "fid": "x"}, reply: object{"fid": "dQw4w9WgXcQ8aB2cD3eF4g", "refreshToken": "3_" + token}}),
	)
	var got []string
	for _, p := range tr.track("", list...).Principals() {
		got = append(got, fmt.Sprintf("%s %s %s=%s used=%v sent=%v", p.Arm, p.Kind, p.Key(), p.Value, p.Used, p.Sent))
	}
	want := []string{
		"A account api.thing.example/v1/start body:$.user.id=" + number + " used=true sent=false",
		"B account api.thing.example/v1/start body:$.user.id=" + number + " used=true sent=false",
		"D account api.thing.example/v1/start body:$.user.id=7412093846120348799 used=true sent=false",
		"backup account api.thing.example/v1/start body:$.user.id=" + number + " used=true sent=true",
		"A installation firebase-installations=dQw4w9WgXcQ8aB2cD3eF4g used=false sent=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
