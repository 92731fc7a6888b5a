package account

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// exchange is a request and its answer.
type exchange struct {
	method, url string
	headers     []flow.Header
	body        any // JSON, or a string as it is
	status      int
	reply       any
	set         []flow.Header // of the answer
	noise       bool
	signup      bool
	arm         string // "A" if empty
	installed   int    // how many times the app had been installed
}

// traffic plays exchanges to a tracker, both times.
type traffic struct {
	t      testing.TB
	kb     *knowledge.Base
	opener *unwrap.Opener
	infer  bool
	began  time.Time
}

func newTraffic(t testing.TB) *traffic {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	o, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &traffic{t: t, kb: kb, opener: o}
}

func bytesOf(v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (tr *traffic) outcomes(app string, list ...exchange) []Outcome {
	tr.t.Helper()
	return tr.track(app, list...).Outcomes()
}

func (tr *traffic) track(app string, list ...exchange) *Tracker {
	tr.t.Helper()
	tracker := NewTracker(tr.kb)
	if tr.infer {
		tracker.InferSignup()
	}
	type sent struct {
		event    uint64
		response bool
		exchange
		message unwrap.Message
	}
	var log []sent
	event := uint64(0)
	for i, x := range list {
		u, err := url.Parse(x.url)
		if err != nil {
			tr.t.Fatal(err)
		}
		id := flow.ID(fmt.Sprint("f", i+1))
		phase := "untouched"
		for _, response := range []bool{false, true} {
			event++
			m := &Message{Event: event, Flow: id, Response: response, Arm: cmp.Or(x.arm, "A"), Installation: x.installed, Phase: phase, Noise: x.noise, Signup: x.signup, Method: x.method, Host: u.Hostname(), Path: u.Path, Status: x.status}
			if m.Method == "" {
				m.Method = "POST"
			}
			if m.Status == 0 {
				m.Status = 200
			}
			from := unwrap.Message{URL: x.url, Headers: x.headers, Body: bytesOf(x.body)}
			if response {
				from = unwrap.Message{Headers: x.set, Body: bytesOf(x.reply), Response: true}
			}
			m.At = tr.began
			m.Cookies = Lifetimes(x.set, time.Time{})
			tr.opener.Walk(from, func(p *unwrap.Part) {
				m.Part(p)
				if response {
					m.Page(tr.opener, p)
				}
			})
			tracker.Learn(m)
			log = append(log, sent{event, response, x, from})
		}
	}
	anything, err := tracker.Prepare()
	if err != nil {
		tr.t.Fatal(err)
	}
	if anything {
		for _, s := range log {
			if s.response && !s.noise {
				continue
			}
			tr.opener.Walk(s.message, func(p *unwrap.Part) { tracker.CheckPart(p, s.event, s.installed, s.response, s.noise) })
		}
		tracker.CheckFile([]byte(app))
	}
	return tracker
}

func kinds(outcomes []Outcome) string {
	var list []string
	for _, o := range outcomes {
		k := o.Kind
		if o.Kind == knowledge.KindAccount && !o.Used {
			k += " unused"
		}
		if o.Signup {
			k += " after sign-up"
		}
		list = append(list, k)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func bearer(token string) []flow.Header {
	return []flow.Header{{Name: "Authorization", Value: "Bearer " + token}}
}

func header(name, value string) []flow.Header { return []flow.Header{{Name: name, Value: value}} }

type object = map[string]any

const (
	api    = "https://api.thing.example"
	uuid   = "5b8f2f0a-6c1d-4e57-9b1e-2f8a7c3d9e10"
	uuid2  = "0c4d7e92-81ab-4f33-a6d0-b94e5f1c2d77"
	token  = "Zk3vQ9xW_s1LmT7bRyUe2HcJ0oNa4PdGf6Xi8KqVwY5"
	number = "7412093846120348712"
)

func jwt(claims object) string {
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(bytesOf(claims)) + ".u8Zt4bVn2LxK9mRw3Jy7Pd5SqA"
}

func register(body, reply any) exchange {
	return exchange{url: api + "/v1/start", body: body, reply: reply}
}

func use(headers []flow.Header) exchange {
	return exchange{method: "GET", url: api + "/v1/feed", headers: headers, reply: object{"ok": true}}
}

// What no signature describes is told by what it does.
func TestBehaviour(t *testing.T) {
	tr := newTraffic(t)
	for name, c := range map[string]struct {
		app  string
		list []exchange
		want string
	}{
		"account": {list: []exchange{register(object{"nonce": uuid2}, object{"user": object{"id": number}, "access_token": token}), use(bearer(token))}, want: "account"},
		"account by JWT": {list: []exchange{
			register(nil, object{"token": jwt(object{"sub": uuid, "iat": 1718000000})}),
			use(bearer(jwt(object{"sub": uuid, "iat": 1718000000})))}, want: "account"},
		"account, id alone as a header": {list: []exchange{register(nil, object{"user_id": uuid}), use(header("X-User-Id", uuid))}, want: "account"},
		"account, token in a cookie": {list: []exchange{
			{url: api + "/v1/start", reply: object{"userId": uuid, "x": 1}, set: header("Set-Cookie", "session="+token+"; Path=/")},
			use(header("Cookie", "session="+token))}, want: "account"},
		"account, token in a field": {list: []exchange{register(nil, object{"uid": uuid, "session_key": token}),
			{url: api + "/v1/next", body: object{"session_key": token}}}, want: "account"},
		"account, basic": {list: []exchange{register(nil, object{"account": object{"uuid": uuid}, "secret": token}),
			use(header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(uuid+":"+token))))}, want: "account"},
		"never used":        {list: []exchange{register(nil, object{"user": object{"id": number}, "access_token": token})}, want: ""},
		"failed":            {list: []exchange{{url: api + "/v1/start", status: 500, reply: object{"user_id": uuid, "access_token": token}}, use(bearer(token))}, want: ""},
		"session":           {list: []exchange{register(nil, object{"access_token": token}), use(bearer(token))}, want: "session"},
		"session by cookie": {list: []exchange{{url: api + "/", set: header("Set-Cookie", "PHPSESSID="+token)}, use(header("Cookie", "PHPSESSID="+token))}, want: "session"},
		"guest JWT": {list: []exchange{
			{url: api + "/v1/guest", reply: object{"token": jwt(object{"sub": uuid})}}, use(bearer(jwt(object{"sub": uuid})))}, want: "session"},
		"installation": {list: []exchange{{url: api + "/v1/devices", reply: object{"device_id": number}}, {method: "GET", url: api + "/v1/feed?device_id=" + number}}, want: "installation"},
		"account and installation": {list: []exchange{
			{url: api + "/v1/devices", reply: object{"install_id": number}},
			register(nil, object{"user_id": uuid, "access_token": token}),
			{method: "GET", url: api + "/v1/feed?iid=" + number, headers: bearer(token)}}, want: "account, installation"},
		"token refreshed": {list: []exchange{
			register(nil, object{"user_id": uuid, "access_token": token}), use(bearer(token)),
			{url: "https://auth.thing.example/refresh", headers: bearer(token), reply: object{"access_token": "new" + token}}, use(bearer("new" + token))}, want: "account"},
		"after a sign-up": {list: []exchange{
			{url: api + "/v1/accounts", body: object{"email": "a@b.example"}, reply: object{"user_id": uuid, "access_token": token}, signup: true}, use(bearer(token))}, want: "account after sign-up"},

		// What looks like an account and is none.
		"echo":                 {list: []exchange{register(object{"id": uuid, "t": token}, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: ""},
		"echo, base64":         {list: []exchange{register(object{"p": base64.StdEncoding.EncodeToString(bytesOf(object{"id": uuid, "t": token}))}, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: ""},
		"echo, other spelling": {list: []exchange{register(object{"id": strings.ToUpper(strings.ReplaceAll(uuid, "-", ""))}, object{"user_id": uuid}), use(header("X-User-Id", uuid))}, want: ""},
		"echo of an earlier request": {list: []exchange{
			{url: "https://elsewhere.example/?x=" + uuid + "." + token}, register(nil, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: ""},
		"echo, encoded by the service": {list: []exchange{register(object{"id": "client-made-id-4711-abcdef"}, object{"user_id": uuid, "token": base64.StdEncoding.EncodeToString([]byte("client-made-id-4711-abcdef"))}),
			use(bearer(base64.StdEncoding.EncodeToString([]byte("client-made-id-4711-abcdef"))))}, want: ""},
		"upsert with a client's id": {list: []exchange{register(object{"user_id": uuid}, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: "session"},
		"in the app":                {app: "var KEY='" + token + "', U='" + uuid + "'", list: []exchange{register(nil, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: ""},
		"in the baseline": {list: []exchange{
			{url: "https://system.example/", reply: object{"user_id": uuid, "access_token": token}, noise: true},
			register(nil, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, want: ""},
		"in a later baseline": {list: []exchange{
			register(nil, object{"user_id": uuid, "access_token": token}), use(bearer(token)),
			{url: "https://system.example/", reply: object{"ids": []any{uuid, token}}, noise: true}}, want: ""},
		"another app's": {list: []exchange{
			{url: api + "/v1/start", reply: object{"user_id": uuid, "access_token": token}, noise: true},
			{method: "GET", url: api + "/v1/feed", headers: bearer(token), noise: true}}, want: ""},
		"CDN cookie":    {list: []exchange{{url: api + "/", set: header("Set-Cookie", "__cf_bm="+token), reply: object{"user_id": uuid}}, use(header("Cookie", "__cf_bm="+token))}, want: ""},
		"any cookie":    {list: []exchange{{url: api + "/", set: header("Set-Cookie", "zz9="+token)}, use(header("Cookie", "zz9="+token))}, want: ""},
		"CSRF token":    {list: []exchange{register(nil, object{"csrf_token": token, "user_id": uuid}), use(header("X-CSRF-Token", token))}, want: ""},
		"nonce":         {list: []exchange{register(nil, object{"nonce": token}), {url: api + "/v1/next", body: object{"nonce": token}}}, want: ""},
		"trace id":      {list: []exchange{{url: api + "/", set: header("X-Trace-Id", uuid)}, use(header("X-Trace-Id", uuid))}, want: ""},
		"ETag":          {list: []exchange{{url: api + "/", set: header("ETag", token)}, use(header("If-None-Match", token))}, want: ""},
		"cursor":        {list: []exchange{register(nil, object{"next_cursor": token}), {method: "GET", url: api + "/v1/feed?cursor=" + token}}, want: ""},
		"test bucket":   {list: []exchange{register(nil, object{"experiment": object{"bucket": uuid}}), use(header("X-Experiment-Bucket", uuid))}, want: ""},
		"remote config": {list: []exchange{register(nil, object{"config_id": uuid}), {method: "GET", url: api + "/v1/config?config_id=" + uuid}}, want: ""},
		"cart":          {list: []exchange{register(nil, object{"cart": object{"id": uuid}}), {method: "GET", url: api + "/v1/carts/" + uuid}}, want: ""},
		"push token":    {list: []exchange{register(nil, object{"token": "APA91" + strings.Repeat("bQ3-", 30)}), {url: api + "/v1/push", body: object{"token": "APA91" + strings.Repeat("bQ3-", 30)}}}, want: ""},
		"sequence":      {list: []exchange{register(nil, object{"user_id": 48213, "seq": 12}), {method: "GET", url: api + "/v1/users/48213"}}, want: ""},
		"server's time": {list: []exchange{register(nil, object{"token": "1718000000000"}), {method: "GET", url: api + "/v1/feed?token=1718000000000"}}, want: ""},
		"other people": {list: []exchange{register(nil, object{"items": []any{object{"user": object{"id": number}}, object{"user": object{"id": "7412093846120348799"}}}, "token": token}),
			{method: "GET", url: api + "/v1/users/" + number}}, want: ""},
		"other people, and a session": {list: []exchange{register(nil, object{"items": []any{object{"user": object{"id": number}}}, "access_token": token}), use(bearer(token))}, want: "session"},
		"a known service, and a number that anybody could guess": {list: []exchange{
			{url: "https://api.lootlocker.io/game/v2/session/guest", body: object{"game_key": "dev_k"}, reply: object{"player_id": 1234567}},
			{method: "GET", url: "https://api.lootlocker.io/game/v1/player/1234567"}}, want: ""},
		"a link that is followed": {list: []exchange{register(nil, object{"upload_url": "https://cdn.thing.example/u/" + token}), {method: "PUT", url: "https://cdn.thing.example/u/" + token}}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := tr.outcomes(c.app, c.list...)
			if got := kinds(out); got != c.want {
				t.Errorf("got %q, want %q: %+v", got, c.want, out)
			}
			for _, o := range out {
				if o.Grounds == "" || o.Host == "" || len(o.Minted) == 0 || o.Response <= o.Request {
					t.Errorf("%+v is not whole", o)
				}
			}
		})
	}
}

func TestUnguessable(t *testing.T) {
	for _, v := range []string{uuid, token, number, "0123456789abcdef"[:15] + "e", "a3f09c77d2e84b11", "u_9f8a7b6c5d4e3f2a1b0c", jwt(object{"sub": "x"}), "3_" + token, "123456789012"} {
		if !unguessable(v) {
			t.Errorf("%q counts as guessable", v)
		}
	}
	for _, v := range []string{
		"", "48213", "12345678901", "1718000000000", "1718000000000000", "20260131120000", "recommendation_list", "com.example.clipshare",
		"Europe/Berlin-Summer-Time", "https://cdn.example/" + token, "a sentence of words", "aaaaaaaaaaaaaaaaaaaaaaaa", "v14build2038",
		"00000000-0000-0000-0000-000000000000", "application/vnd.example.thing+json", "InternationalizationSupport",
	} {
		if unguessable(v) {
			t.Errorf("%q counts as unguessable", v)
		}
	}
}
