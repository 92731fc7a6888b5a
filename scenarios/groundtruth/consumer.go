package groundtruth

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// consumer are the own services of apps that many people have.
func consumer() []Service {
	return []Service{
		{
			Name: "duolingo", Label: Account, Signature: "duolingo-users",
			About: "a user without a mail address, and a token for it in a header",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST android-api-cf.duolingo.com/2023-05-23/users": func(c *call) any {
						id, _ := c.account("", func() string { return digits(10) })
						c.out.Set("jwt", c.grant(jwt(object{"sub": id})))
						return object{"id": number(id), "creationDate": 1_764_000_000, "fromLanguage": "en", "learningLanguage": "de", "username": "", "trial": true}
					},
					"GET android-api-cf.duolingo.com/2023-05-23/users/{id}": func(c *call) any {
						return c.must(c.bearer(), func() any { return object{"streak": 0, "totalXp": 0} })
					},
				}
			},
			App: func(p *Phone) {
				if p.Storage["jwt"] == "" {
					r := p.post("https://android-api-cf.duolingo.com/2023-05-23/users?fields=id,creationDate", object{"distinctId": p.keep("distinct", uuid), "timezone": "Europe/Berlin", "fromLanguage": "en", "learningLanguage": "de"}, nil)
					p.Storage["jwt"], p.Storage["id"] = r.header.Get("jwt"), r.at("id")
				}
				p.get("https://android-api-cf.duolingo.com/2023-05-23/users/"+p.Storage["id"], bearer(p.Storage["jwt"]))
			},
		},
		{
			Name: "jodel", Label: Account, Signature: "jodel-users", Hangs: "ssaid",
			About: "a user by the device's id: the same device gets the same user back",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.go-tellm.com/api/v2/users": func(c *call) any {
						id, isNew := c.account(c.get("device_uid"), hex12)
						return object{"access_token": c.grant(uuid()), "refresh_token": c.grant(uuid()), "token_type": "bearer", "expires_in": 604800, "expiration_date": 4_000_000_000, "distinct_id": id, "returning": !isNew}
					},
					"GET api.go-tellm.com/api/v2/posts": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://api.go-tellm.com/api/v2/users", object{
						"client_id": "81e8a76e-1e02-4d17-9ba0-8a7020261b26", "device_uid": p.SSAID + p.SSAID + p.SSAID + p.SSAID,
						"location": object{"country": "DE", "city": "Berlin", "loc_coordinates": object{"lat": 52.5, "lng": 13.4}, "loc_accuracy": 16},
					}, nil).at("access_token")
				})
				p.get("https://api.go-tellm.com/api/v2/posts", bearer(token))
			},
		},
		{
			Name: "bilibili", Label: Account, Signature: "bilibili-guest",
			About: "a guest, from a body that is encrypted inside TLS",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST passport.bilibili.com/x/passport-user/guest/reg": func(c *call) any {
						id, _ := c.account("", func() string { return digits(16) })
						return object{"code": 0, "message": "0", "ttl": 1, "data": object{"guest_id": number(c.grant(id))}}
					},
					"GET app.bilibili.com/x/v2/feed/index": func(c *call) any {
						return c.must(c.FormValue("guest_id"), posts)
					},
				}
			},
			App: func(p *Phone) {
				guest := p.keep("guest", func() string {
					return p.post("https://passport.bilibili.com/x/passport-user/guest/reg", url.Values{
						"device_info": {strings.ToUpper(hexID(160))}, "dt": {base64.StdEncoding.EncodeToString(random(128))}, "appkey": {"1d8b6e7d45233436"}, "build": {"7650400"}, "ts": {"1764000000"},
					}, headers{"buvid", "XY" + strings.ToUpper(hexID(17))}).at("data", "guest_id")
				})
				p.get("https://app.bilibili.com/x/v2/feed/index?guest_id="+guest, nil)
			},
		},
		{
			Name: "reddit", Label: Account, Signature: "reddit-loid",
			About: "a logged-out id that goes with every request, with a token",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST www.reddit.com/auth/v2/oauth/access-token/loid": func(c *call) any {
						id, _ := c.account("", func() string { return "000000000" + letters("abcdefghijklmnopqrstuvwxyz0123456789", 9) })
						c.out.Set("x-reddit-loid", c.grant(id+".2.1764000000000.Z0FBQUFB"+opaque(60)))
						c.out.Set("x-reddit-session", c.grant(letters(base62, 18)+".0.1764000000000.Z0FBQUFB"+opaque(60)))
						return object{"access_token": c.grant(jwt(object{"sub": "loid", "lid": "t2_" + id, "scp": opaque(20)})), "expires_in": 86399, "token_type": "bearer", "scope": []any{"*", "email", "pii"}}
					},
					"GET oauth.reddit.com/hot": feed,
				}
			},
			App: func(p *Phone) {
				if p.Storage["token"] == "" {
					r := p.post("https://www.reddit.com/auth/v2/oauth/access-token/loid", object{"scopes": []any{"*", "email", "pii"}}, headers{
						"Authorization", "Basic b2hYcG9xclpZdWIxa2c6", "client-vendor-id", p.keep("vendor", uuid),
					})
					p.Storage["token"], p.Storage["loid"], p.Storage["session"] = r.at("access_token"), r.header.Get("x-reddit-loid"), r.header.Get("x-reddit-session")
				}
				p.get("https://oauth.reddit.com/hot", append(bearer(p.Storage["token"]), "x-reddit-loid", p.Storage["loid"], "x-reddit-session", p.Storage["session"]))
			},
		},
		{
			Name: "matrix", Label: Account, Signature: "matrix-guest",
			About: "a guest account on a homeserver",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST matrix.groundtruth.example/_matrix/client/v3/register": func(c *call) any {
						id, _ := c.account("", func() string { return "@" + digits(12) + ":matrix.groundtruth.example" })
						return object{"user_id": id, "home_server": "matrix.groundtruth.example", "access_token": c.grant("syt_" + opaque(32)), "device_id": "guest_device"}
					},
					"GET matrix.groundtruth.example/_matrix/client/v3/publicRooms": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://matrix.groundtruth.example/_matrix/client/v3/register?kind=guest", object{}, nil).at("access_token")
				})
				p.get("https://matrix.groundtruth.example/_matrix/client/v3/publicRooms", bearer(token))
			},
		},
	}
}
