package groundtruth

import "net/url"

// hardTraps are traps in which a value of a service is used as a credential, or names
// somebody, or both, and there is no account of the person's all the same.
func hardTraps() []Service {
	return []Service{
		once("featured-author", Session, "a token for nobody, in the same answer as a post with its author",
			func(c *call) any {
				return object{"access_token": c.grant(c.session(func() string { return opaque(32) })), "featured": object{"id": uuid(), "author": object{"user_id": snowflake(), "user": object{"id": snowflake()}, "name": "Ada"}}}
			}, feed,
			func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("access_token"))) }),
		once("publisher-account", Nothing, "the number of the publisher's own account with a video service, the same for everybody, and a key for its videos",
			func(c *call) any {
				return object{"video": object{"account_id": "6057277721001", "policy_key": "BCpkADawqM1gvI0oGWg8dxQHlgT8HkdE2LnAlWAZkOlznO39bSZX726u4JqnDsK3MDXcO01JxXK2tZtJbgQChxgaFzEVdHRjaDoxaOu8hHOO8NYhwdxw9BzvgkvLUlpbDNUuDoc4E4wxDToV"}}
			}, func(*call) any { return posts() },
			func(p *Phone, start, use string) {
				r := p.post(start, object{}, nil)
				p.get(use+"/accounts/"+r.at("video", "account_id")+"/videos/1", headers{"Accept", "application/json;pk=" + r.at("video", "policy_key")})
			}),
		once("visitor", Session, "the number of a visit and a token for it, which end with the visit",
			func(c *call) any {
				return object{"visitor_id": uuid(), "visit_token": c.grant(c.session(func() string { return opaque(32) }))}
			}, feed,
			func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("visit_token"))) }),
		once("captcha", Nothing, "a proof that no robot asks, sent along once",
			func(c *call) any { return object{"captcha_token": c.grant(opaque(90)), "challenge_id": uuid()} },
			func(c *call) any { return c.must(c.get("captcha_token"), posts) },
			func(p *Phone, start, use string) {
				p.post(use, object{"captcha_token": p.post(start, object{}, nil).at("captcha_token")}, nil)
			}),
		once("live-room", Session, "a token to watch a room, by the room's number",
			func(c *call) any {
				return object{"room": object{"id": snowflake()}, "token": c.grant(c.session(func() string { return opaque(48) }))}
			}, feed,
			func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("token"))) }),
		once("support-agent", Session, "a chat with an agent, whose number the answer holds, and a token for the chat",
			func(c *call) any {
				return object{"conversation_id": uuid(), "agent": object{"user_id": snowflake(), "name": "Grace"}, "token": c.grant(c.session(func() string { return opaque(48) }))}
			}, feed,
			func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("token"))) }),
		once("device-token", Installation, "a device and a token for it, with which it asks for updates",
			func(c *call) any {
				return object{"device": object{"device_id": c.installation(c.get("model")+uuid(), uuid)}, "update_key": c.grant(opaque(24))}
			}, func(c *call) any { return posts() },
			func(p *Phone, start, use string) {
				if p.Storage["id"] == "" {
					r := p.post(start, object{"model": "Pixel 6"}, nil)
					p.Storage["id"], p.Storage["key"] = r.at("device", "device_id"), r.at("update_key")
				}
				p.get(use+"?"+url.Values{"device_id": {p.Storage["id"]}, "k": {p.Storage["key"]}}.Encode(), nil)
			}),
		once("login-redirect", Nothing, "a log-in that nobody completes: state and code challenge go to another host and back",
			func(c *call) any {
				return object{"authorize": "https://login-redirect.groundtruth.example/v1/use?" + url.Values{"state": {opaque(24)}, "nonce": {opaque(24)}, "code_challenge": {opaque(32)}}.Encode()}
			}, func(c *call) any {
				if c.FormValue("back") == "" {
					return redirect("https://login-redirect.groundtruth.example/v1/use?" + url.Values{"state": {c.FormValue("state")}, "error": {"login_required"}, "back": {"1"}}.Encode())
				}
				return posts()
			},
			func(p *Phone, start, use string) { p.get(p.post(start, object{}, nil).at("authorize"), nil) }),
	}
}
