package groundtruth

import (
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

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
			Name: "own-redirect", Label: Account,
			About: "a user and a session in the address that a redirect leads to",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"GET www.ownredirect.example/enter": func(c *call) any {
						id, _ := c.account("", uuid)
						return redirect("https://www.ownredirect.example/home?" + url.Values{"user_id": {id}, "session_token": {c.grant(opaque(24))}}.Encode())
					},
					"GET www.ownredirect.example/home": func(c *call) any { return c.must(c.FormValue("session_token"), posts) },
				}
			},
			App: func(p *Phone) { p.get("https://www.ownredirect.example/enter", nil) },
		},
		{
			Name: "own-socket", Label: Account,
			About: "a user and a key that come over a WebSocket",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"GET ws.ownsocket.example/live": func(c *call) any {
						s, err := websocket.Accept(c.w, c.Request, nil)
						if err != nil {
							return done{}
						}
						defer s.CloseNow()
						ctx := c.Context()
						if _, _, err := s.Read(ctx); err != nil {
							return done{}
						}
						id, _ := c.account("", snowflake)
						if s.Write(ctx, websocket.MessageText, encode(object{"op": "welcome", "user": object{"id": id}, "session_key": c.grant(opaque(24))})) == nil {
							_ = s.Close(websocket.StatusNormalClosure, "")
						}
						return done{}
					},
					"GET api.ownsocket.example/feed": func(c *call) any { return c.must(c.Header.Get("X-Session-Key"), posts) },
				}
			},
			App: func(p *Phone) {
				key := p.keep("key", func() string {
					return p.socket("wss://ws.ownsocket.example/live", object{"op": "hello"}).at("session_key")
				})
				p.get("https://api.ownsocket.example/feed", headers{"X-Session-Key", key})
			},
		},
		{
			Name: "own-headers", Label: Account,
			About: "a user and a token in headers of the answer",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownheaders.example/hello": func(c *call) any {
						id, _ := c.account("", uuid)
						c.out.Set("X-User-Id", id)
						c.out.Set("X-Auth-Token", c.grant(opaque(32)))
						return posts()
					},
					"GET api.ownheaders.example/feed": func(c *call) any { return c.must(c.Header.Get("X-Auth-Token"), posts) },
				}
			},
			App: func(p *Phone) {
				if p.Storage["token"] == "" {
					r := p.post("https://api.ownheaders.example/hello", object{}, nil)
					p.Storage["token"], p.Storage["id"] = r.header.Get("X-Auth-Token"), r.header.Get("X-User-Id")
				}
				p.get("https://api.ownheaders.example/feed", headers{"X-Auth-Token", p.Storage["token"], "X-User-Id", p.Storage["id"]})
			},
		},
		{
			Name: "own-form", Label: Account,
			About: "a user and a token in an answer that is a form, as OAuth 1 has it",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.ownform.example/oauth/anonymous": func(c *call) any {
						id, _ := c.account("", snowflake)
						return text{"application/x-www-form-urlencoded", url.Values{"user_id": {id}, "access_token": {c.grant(opaque(32))}, "expires": {"0"}}.Encode()}
					},
					"GET api.ownform.example/feed": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					form, _ := url.ParseQuery(p.post("https://api.ownform.example/oauth/anonymous", url.Values{"model": {"Pixel 6"}}, nil).text)
					return form.Get("access_token")
				})
				p.get("https://api.ownform.example/feed", bearer(token))
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
