package account

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Values are found in whatever an answer is made of, and followed however they are sent.
func TestForms(t *testing.T) {
	tr := newTraffic(t)
	page := func(body string) string { return "<!DOCTYPE html><html><body>" + body + "</body></html>" }
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	for name, c := range map[string]struct {
		list []exchange
		want string
	}{
		"XML":                                {[]exchange{register(nil, `<?xml version="1.0"?><r><userId>`+number+`</userId><token>`+token+`</token></r>`), use(bearer(token))}, "account"},
		"form":                               {[]exchange{register(nil, "uid="+number+"&auth_token="+token), use(bearer(token))}, "account"},
		"plain text":                         {[]exchange{register(nil, token), use(bearer(token))}, "session"},
		"state of a page":                    {[]exchange{register(nil, page(`<script>window.__STATE__ = {"viewer":{"id":"`+uuid+`"},"token":"`+token+`"};</script>`)), use(bearer(token))}, "account"},
		"hidden field":                       {[]exchange{register(nil, page(`<input type="hidden" name="token" value="`+token+`">`)), {url: api + "/v1/next", body: object{"token": token}}}, ""},
		"redirect":                           {[]exchange{{url: api + "/authorize", status: 302, set: header("Location", "https://app.thing.example/#access_token="+token+"&user_id="+uuid)}, use(bearer(token))}, "account"},
		"base64 of JSON":                     {[]exchange{register(nil, object{"d": base64.StdEncoding.EncodeToString(bytesOf(object{"user_id": uuid, "token": token}))}), use(bearer(token))}, "account"},
		"hashed when used":                   {[]exchange{register(nil, object{"user_id": uuid, "session_token": token}), {method: "GET", url: api + "/v1/next?token=" + sum(token)}}, "account"},
		"digest of what was sent":            {[]exchange{register(object{"android_id": "a3f09c77d2e84b11"}, object{"user_id": sum("a3f09c77d2e84b11")}), use(header("X-User-Id", sum("a3f09c77d2e84b11")))}, ""},
		"what was sent, with a word before":  {[]exchange{register(object{"android_id": "a3f09c77d2e84b11"}, object{"user_id": "android-a3f09c77d2e84b11"}), use(header("X-User-Id", "android-a3f09c77d2e84b11"))}, ""},
		"token, then who it is of":           {[]exchange{register(nil, object{"token": token}), {method: "GET", url: api + "/v1/me", headers: bearer(token), reply: object{"id": uuid}}}, "account"},
		"token, then whose post":             {[]exchange{register(nil, object{"token": token}), {method: "GET", url: api + "/v1/posts/9", headers: bearer(token), reply: object{"user": object{"id": uuid}}}}, "session"},
		"a cookie that is dropped":           {[]exchange{{url: api + "/", reply: object{"user_id": number}, set: header("Set-Cookie", "session="+token+"; Max-Age=0")}, use(header("Cookie", "session="+token))}, ""},
		"renewed with what was there before": {[]exchange{register(object{"refresh_token": token + "old"}, object{"user_id": uuid, "access_token": token}), use(bearer(token))}, ""},
		"a link that is signed":              {[]exchange{register(nil, object{"url": "https://cdn.thing.example/u?token=" + token}), {method: "GET", url: "https://cdn.thing.example/u?token=" + token}}, ""},
		"ids that advertisers hand each other": {[]exchange{
			{method: "GET", url: "https://sync.adnet.example/match?p=1", status: 302, set: []flow.Header{{Name: "Set-Cookie", Value: "nid=" + number}, {Name: "Location", Value: "https://rtb.another.example/map?partner=7&uid=" + number}}},
			{method: "GET", url: "https://rtb.another.example/map?partner=7&uid=" + number, set: header("Set-Cookie", "map="+uuid)},
			{method: "GET", url: "https://sync.adnet.example/match?p=2", headers: header("Cookie", "nid="+number)}}, ""},
		"an advertiser's cookie": {[]exchange{
			{method: "GET", url: api + "/sync", reply: object{"sync": object{"partner": 12, "uid": uuid}}, set: header("Set-Cookie", "uid="+uuid)},
			{method: "GET", url: api + "/ad?partner_uid=" + uuid, headers: header("Cookie", "uid="+uuid)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if out := tr.outcomes("", c.list...); kinds(out) != c.want {
				t.Errorf("got %q, want %q: %+v", kinds(out), c.want, out)
			}
		})
	}
}

// What a person typed precedes what follows at that site, and what the app made up does not.
func TestSignups(t *testing.T) {
	tr := newTraffic(t)
	issue := exchange{url: api + "/v1/start", reply: object{"user_id": uuid, "token": token}}
	for name, c := range map[string]struct {
		typed exchange
		want  string
	}{
		"password":          {exchange{url: api + "/x", body: object{"email": "a@b.example", "password": "clave-1234"}}, "account after sign-up"},
		"in another tongue": {exchange{url: api + "/registro", body: "correo=ana%40b.example&contrase%C3%B1a=clave1234"}, "account after sign-up"},
		"nested":            {exchange{url: api + "/x", body: "user%5Bemail%5D=a%40b.example&user%5Bpassword%5D=clave1234"}, "account after sign-up"},
		"code by message":   {exchange{url: api + "/otp/verify", body: object{"phone": "+4915112345678", "code": "482113"}}, "account after sign-up"},
		"another service":   {exchange{url: api + "/auth/google", body: object{"id_token": jwt(object{"iss": "https://accounts.google.com", "sub": number})}}, "account after sign-up"},
		"elsewhere":         {exchange{url: "https://api.other.example/login", body: object{"email": "a@b.example", "password": "clave-1234"}}, "account"},
		"made by the app":   {exchange{url: api + "/register", body: object{"username": uuid2, "password": "9f8a7b6c5d4e3f2a1b0c9d8e"}}, "account"},
		"the phone's owner": {exchange{url: api + "/register", body: object{"android_id": "a3f09c77d2e84b11", "email": "a@b.example"}}, "account"},
		"empty":             {exchange{url: api + "/register", body: object{"email": "", "password": ""}}, "account"},
		"a newsletter":      {exchange{url: api + "/newsletter", body: object{"email": "a@b.example"}}, "account"},
	} {
		t.Run(name, func(t *testing.T) {
			tr.infer = true
			defer func() { tr.infer = false }()
			if out := tr.outcomes("", c.typed, issue, use(bearer(token))); kinds(out) != c.want {
				t.Errorf("got %q, want %q", kinds(out), c.want)
			}
			tr.infer = false // in an audit, the protocol alone says who signed up
			if out := tr.outcomes("", c.typed, issue, use(bearer(token))); kinds(out) != "account" {
				t.Errorf("in an audit it is %q", kinds(out))
			}
		})
	}
}

// Ids tell the time at which they were made, and fields say it; what is older than the
// app is an account object of its own.
func TestWitnesses(t *testing.T) {
	tr := newTraffic(t)
	tr.began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		reply object
		sent  object
		level int
		at    time.Time
	}{
		"nothing more":          {reply: object{"user": object{"id": uuid}}, level: 3},
		"a name and a picture":  {reply: object{"user": object{"id": uuid, "username": "quiet_heron", "avatar": "a.png"}}, level: 5},
		"a name that was sent":  {reply: object{"user": object{"id": uuid, "username": "quiet_heron", "avatar": "a.png"}}, sent: object{"n": "quiet_heron"}, level: 3},
		"somebody else's name":  {reply: object{"user": object{"id": uuid}, "items": []any{object{"user": object{"username": "ada", "avatar": "b.png"}}}}, level: 3},
		"made just now":         {reply: object{"user": object{"id": uuid, "created_at": "2026-03-01T12:00:00Z"}}, level: 3, at: tr.began},
		"made long ago":         {reply: object{"user": object{"id": uuid, "created_at": old.Unix()}}, level: 5, at: old},
		"token issued long ago": {reply: object{"token2": jwt(object{"sub": uuid, "iat": old.Unix()})}, level: 5, at: old},
		"ULID":                  {reply: object{"user_id": "01HX6EH5P8ZK3VQ9XWS1MT7BRY"}, level: 5, at: time.UnixMilli(1715001234120).UTC().Truncate(0)},
		"UUID version 7":        {reply: object{"user_id": "018f4c9a-1b88-7e57-9b1e-2f8a7c3d9e10"}, level: 5, at: time.UnixMilli(0x018f4c9a1b88).UTC()},
		"UUID version 1":        {reply: object{"user_id": "e1b8a4c0-0b78-11ef-9b1e-2f8a7c3d9e10"}, level: 5, at: time.UnixMicro((0x1ef0b78e1b8a4c0 - 0x01b21dd213814000) / 10).UTC()},
		"ObjectId, perhaps":     {reply: object{"user_id": "66387e79c3d9e10f2a8b7c4d"}, level: 3},
	} {
		t.Run(name, func(t *testing.T) {
			c.reply["token"] = token
			out := tr.outcomes("", register(c.sent, c.reply), use(bearer(token)))
			if len(out) != 1 || out[0].Level != c.level {
				t.Fatalf("%+v", out)
			}
			if name != "ULID" && !out[0].CreatedAt.Equal(c.at) || name == "ULID" && out[0].CreatedAt.Year() != 2024 {
				t.Errorf("created %v, want %v (%s)", out[0].CreatedAt, c.at, out[0].Grounds)
			}
		})
	}
}
