package groundtruth

// messaging are services for notifications, support and chat.
func messaging() []Service {
	return []Service{
		{
			Name: "onesignal", Label: Account, Signature: "onesignal-user",
			About: "a user with a subscription, as version 5 of the SDK makes it",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.onesignal.com/apps/{app}/users": func(c *call) any {
						id, _ := c.account("", uuid)
						return object{
							"identity": object{"onesignal_id": c.grant(id)}, "properties": object{"language": "en", "first_active": 1_764_000_000},
							"subscriptions": []any{object{"id": c.installation("", uuid), "app_id": c.PathValue("app"), "type": "AndroidPush", "enabled": false}},
						}
					},
					"PATCH api.onesignal.com/apps/{app}/users/by/onesignal_id/{id}": func(c *call) any {
						return c.must(c.PathValue("id"), func() any { return object{"properties": object{}} })
					},
				}
			},
			App: func(p *Phone) {
				const app = "https://api.onesignal.com/apps/2f6d1c1e-7c11-4111-8222-abcdefabcdef/users"
				id := p.keep("user", func() string {
					return p.post(app, object{"properties": object{"language": "en", "timezone_id": "Europe/Berlin"}, "identity": object{}, "subscriptions": []any{object{"type": "AndroidPush", "device_model": "Pixel 6", "app_version": "1"}}}, nil).at("identity", "onesignal_id")
				})
				p.do("PATCH", app+"/by/onesignal_id/"+id, object{"properties": object{"session_count": 1}}, nil)
			},
		},
		{
			Name: "onesignal-player", Label: Installation, Signature: "onesignal-player",
			About: "a player, which is a device, as older versions of the SDK make it",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST onesignal.com/api/v1/players": func(c *call) any {
						return object{"success": true, "id": c.grant(l.installation("", uuid))}
					},
					"POST onesignal.com/api/v1/players/{id}/on_session": func(c *call) any {
						return c.must(c.PathValue("id"), func() any { return object{"success": true} })
					},
				}
			},
			App: func(p *Phone) {
				id := p.keep("player", func() string {
					return p.post("https://onesignal.com/api/v1/players", object{"app_id": "2f6d1c1e-7c11-4111-8222-abcdefabcdef", "device_type": 1, "language": "en"}, nil).at("id")
				})
				p.post("https://onesignal.com/api/v1/players/"+id+"/on_session", object{"app_id": "2f6d1c1e-7c11-4111-8222-abcdefabcdef"}, nil)
			},
		},
		{
			Name: "zendesk", Label: Account, Signature: "zendesk-anonymous",
			About: "an end user of a help desk, without a name",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST groundtruth.zendesk.com/access/sdk/anonymous": func(c *call) any {
						id, _ := c.account("", func() string { return digits(13) })
						return object{"authentication": object{"access_token": c.grant(hexID(32)), "user_id": id, "expires_at": stamp()}}
					},
					"GET groundtruth.zendesk.com/api/mobile/requests.json": feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://groundtruth.zendesk.com/access/sdk/anonymous", object{"user": object{"sdk_guid": p.keep("guid", uuid), "name": nil, "email": nil}}, headers{"Client-Identifier", "mobile_sdk_client_0f1e"}).at("authentication", "access_token")
				})
				p.get("https://groundtruth.zendesk.com/api/mobile/requests.json", bearer(token))
			},
		},
		{
			Name: "stream-guest", Label: Account, Signature: "stream-guest",
			About: "a guest of a chat, with an id that the service makes out of the app's",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST chat.stream-io-api.com/guest": func(c *call) any {
						id, _ := c.account("", func() string { return "guest-" + uuid() + "-" + c.get("user", "id") })
						return object{"user": object{"id": id, "role": "guest", "created_at": stamp(), "online": false}, "access_token": c.grant(jwt(object{"user_id": id})), "duration": "7.2ms"}
					},
					"GET chat.stream-io-api.com/channels": func(c *call) any {
						return c.must(c.Header.Get("Authorization"), func() any { return object{"channels": []any{}} })
					},
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://chat.stream-io-api.com/guest?api_key=7gkc4a2b5n8x", object{"user": object{"id": "visitor"}}, headers{"stream-auth-type", "anonymous"}).at("access_token")
				})
				p.get("https://chat.stream-io-api.com/channels?api_key=7gkc4a2b5n8x", headers{"Authorization", token, "stream-auth-type", "jwt"})
			},
		},
	}
}
