package groundtruth

import "net/http"

// own are services that no signature describes: only what they do tells.
func own() []Service {
	return []Service{
		{
			Name: "own-rest", Label: Account, Hangs: "ssaid",
			About: "a user and a bearer token, by the Android ID",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownrest.example/v1/start": func(c *call) any {
						id, isNew := c.account(c.get("device"), snowflake)
						return object{"user": object{"id": id, "created_at": stamp(), "new": isNew}, "access_token": c.grant(opaque(32))}
					},
					"GET api.ownrest.example/v1/feed": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://api.ownrest.example/v1/start", object{"device": p.SSAID}, nil).at("access_token")
				})
				p.get("https://api.ownrest.example/v1/feed", bearer(token))
			},
		},
		{
			Name: "own-advertising-id", Label: Account, Hangs: "advertising_id",
			About: "a user by the advertising id, in a form",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownads.example/account/open": func(c *call) any {
						id, _ := c.account(c.get("aid"), uuid)
						return object{"account": object{"uuid": id}, "session_key": c.grant(opaque(24))}
					},
					"POST api.ownads.example/account/ping": func(c *call) any {
						return c.must(c.get("session_key"), func() any { return object{"ok": true} })
					},
				}
			},
			App: func(p *Phone) {
				key := p.keep("key", func() string {
					return p.post("https://api.ownads.example/account/open", object{"aid": p.AdvertisingID}, nil).at("session_key")
				})
				p.post("https://api.ownads.example/account/ping", object{"session_key": key}, nil)
			},
		},
		{
			Name: "own-jwt", Label: Account, Compare: true,
			About: "nothing but a token, whose subject is the user",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownjwt.example/v2/register": func(c *call) any {
						id, _ := c.account("", uuid)
						return object{"token": c.grant(jwt(object{"sub": id, "scope": "app"}))}
					},
					"GET api.ownjwt.example/v2/feed": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://api.ownjwt.example/v2/register", object{"model": "Pixel 6"}, nil).at("token")
				})
				p.get("https://api.ownjwt.example/v2/feed", bearer(token))
			},
		},
		{
			Name: "own-cookie", Label: Account,
			About: "a user in the answer, and a session cookie that goes with every request",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST www.owncookie.example/join": func(c *call) any {
						id, _ := c.account("", snowflake)
						c.out.Add("Set-Cookie", (&http.Cookie{Name: "sessionid", Value: c.grant(opaque(24)), Path: "/", Secure: true, HttpOnly: true}).String())
						return object{"user_id": id, "nickname": "guest" + id[len(id)-6:]}
					},
					"GET www.owncookie.example/timeline": func(c *call) any {
						session, err := c.Cookie("sessionid")
						if err != nil {
							return fault{401, object{}}
						}
						return c.must(session.Value, posts)
					},
				}
			},
			App: func(p *Phone) {
				p.keep("joined", func() string { return p.post("https://www.owncookie.example/join", object{}, nil).at("user_id") })
				p.get("https://www.owncookie.example/timeline", nil)
			},
		},
		{
			Name: "own-session", Label: Session,
			About: "a token that every request needs, for nobody",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownsession.example/token": func(c *call) any {
						return object{"access_token": c.grant(l.session(func() string { return opaque(32) })), "expires_in": 600}
					},
					"GET api.ownsession.example/feed": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string { return p.post("https://api.ownsession.example/token", object{}, nil).at("access_token") })
				p.get("https://api.ownsession.example/feed", bearer(token))
			},
		},
		{
			Name: "own-device", Label: Installation,
			About: "a number for the device, which goes with every request",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.owndevice.example/v1/devices": func(c *call) any {
						return object{"device_id": c.grant(l.installation(c.get("hw"), snowflake))}
					},
					"GET api.owndevice.example/v1/feed": func(c *call) any { return c.must(c.FormValue("device_id"), posts) },
				}
			},
			App: func(p *Phone) {
				id := p.keep("id", func() string {
					return p.post("https://api.owndevice.example/v1/devices", object{"hw": p.SSAID, "os": "android"}, nil).at("device_id")
				})
				p.get("https://api.owndevice.example/v1/feed?device_id="+id, nil)
			},
		},
	}
}
