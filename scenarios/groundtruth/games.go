package groundtruth

import (
	"net/url"
	"strings"
)

// games are services for players.
func games() []Service {
	return []Service{
		{
			Name: "playfab", Label: Account, Signature: "playfab-login-create", Hangs: "ssaid", Page: "playfab.js",
			About: "a log-in with the Android ID that creates the account: the same device gets it back", Routes: playfab,
		},
		{
			Name: "playfab-custom-id", Label: Account, Signature: "playfab-login-create",
			About:  "a log-in with an id that the app makes at each installation",
			Routes: playfab,
			App: func(p *Phone) {
				own := p.keep("custom id", uuid)
				ticket := p.post("https://1a2b3.playfabapi.com/Client/LoginWithCustomID", object{"TitleId": "1A2B3", "CustomId": own, "CreateAccount": true}, nil).at("data", "SessionTicket")
				p.post("https://1a2b3.playfabapi.com/Client/GetAccountInfo", object{}, headers{"X-Authorization", ticket})
			},
		},
		{
			Name: "playfab-no-create", Label: Nothing,
			About: "the same log-in without CreateAccount: it is refused, and nothing is there",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST 1a2b3.playfabapi.com/Client/LoginWithCustomID": func(c *call) any {
					return object{"code": 200, "status": "OK", "data": object{"error": "AccountNotFound", "errorCode": 1001, "TraceId": hex16()}}
				}}
			},
			App: func(p *Phone) {
				p.post("https://1a2b3.playfabapi.com/Client/LoginWithCustomID", object{"TitleId": "1A2B3", "CustomId": p.keep("id", uuid), "CreateAccount": false}, nil)
			},
		},
		{
			Name: "unity", Label: Account, Signature: "unity-anonymous",
			About: "an anonymous player of Unity",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST player-auth.services.api.unity.com/v1/authentication/anonymous": func(c *call) any {
						id, _ := c.account("", func() string { return letters(base62, 28) })
						return object{
							"expiresIn": 3599, "userId": id, "idToken": c.grant(jwt(object{"sub": id, "sign_in_provider": "anonymous", "project_id": c.Header.Get("ProjectId")})),
							"sessionToken": c.grant(opaque(64)), "user": object{"id": id, "disabled": false, "externalIds": []any{}},
						}
					},
					"GET cloud-save.services.api.unity.com/v1/data/projects/{project}/players/{player}/items": func(c *call) any {
						return c.must(c.bearer(), func() any { return object{"results": []any{}} })
					},
				}
			},
			App: func(p *Phone) {
				const project = "8bdacc33-6eef-4577-beb0-633c86259f5b"
				if p.Storage["token"] == "" {
					r := p.post("https://player-auth.services.api.unity.com/v1/authentication/anonymous", object{}, headers{"ProjectId", project, "UnityEnvironment", "production"})
					p.Storage["token"], p.Storage["player"] = r.at("idToken"), r.at("userId")
				}
				p.get("https://cloud-save.services.api.unity.com/v1/data/projects/"+project+"/players/"+p.Storage["player"]+"/items", bearer(p.Storage["token"]))
			},
		},
		{
			Name: "nakama", Label: Account, Signature: "nakama-device", Hangs: "ssaid", Page: "nakama.js",
			About: "an account for the device by its Android ID, on the game's own server", Routes: nakama,
		},
		{
			Name: "epic", Label: Account, Signature: "epic-device-id",
			About: "a pseudo-account for the device, and a token for it",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.epicgames.dev/auth/v1/accounts/deviceid": func(c *call) any {
						user, _ := c.account("", hex16)
						return object{"access_token": c.grant(jwt(object{"sub": user, "clientId": "xyza7891", "dn": "PC"}))}
					},
					"POST api.epicgames.dev/auth/v1/oauth/token": func(c *call) any {
						return c.must(c.get("external_auth_token"), func() any {
							return object{"access_token": c.grant(opaque(90)), "token_type": "bearer", "expires_in": 3599, "product_user_id": subject(c.get("external_auth_token"))}
						})
					},
				}
			},
			App: func(p *Phone) {
				basic := headers{"Authorization", "Basic eHl6YTc4OTE6c2VjcmV0"}
				token := p.keep("token", func() string {
					return p.post("https://api.epicgames.dev/auth/v1/accounts/deviceid", url.Values{"deviceModel": {"Pixel 6"}}, basic).at("access_token")
				})
				p.post("https://api.epicgames.dev/auth/v1/oauth/token", url.Values{
					"grant_type": {"external_auth"}, "external_auth_type": {"deviceid_access_token"}, "external_auth_token": {token}, "deployment_id": {"d1"}, "nonce": {opaque(12)},
				}, basic)
			},
		},
		{
			Name: "lootlocker", Label: Account, Signature: "lootlocker-guest",
			About: "a guest session that makes a player, whose identifier the service mints",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.lootlocker.io/game/v2/session/guest": func(c *call) any {
						known := c.get("player_identifier")
						id, isNew := c.account(known, uuid)
						if known == "" {
							c.byIdentifier(id)
						}
						return object{"success": true, "session_token": c.grant(hex20()), "player_id": short(), "public_uid": letters("ABCDEFGHJK23456789", 8), "player_identifier": id, "seen_before": !isNew, "player_created_at": stamp()}
					},
					"GET api.lootlocker.io/game/v1/player/info": func(c *call) any {
						return c.must(c.Header.Get("x-session-token"), func() any { return object{"success": true, "level": 1} })
					},
				}
			},
			App: func(p *Phone) {
				body := object{"game_key": "dev_0f1e2d3c4b5a", "game_version": "1.0.0"}
				if known := p.Storage["player"]; known != "" {
					body["player_identifier"] = known
				}
				r := p.post("https://api.lootlocker.io/game/v2/session/guest", body, nil)
				p.Storage["player"] = r.at("player_identifier")
				p.get("https://api.lootlocker.io/game/v1/player/info", headers{"x-session-token", r.at("session_token")})
			},
		},
		{
			Name: "braincloud", Label: Account, Compare: true, Signature: "braincloud-anonymous",
			About: "an anonymous profile, through the one dispatcher that takes every call",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST api.braincloudservers.com/dispatcherv2": func(c *call) any {
					if at(c.in, "messages", "0", "service") == "authenticationV2" {
						id, _ := c.account("", uuid)
						return object{"packetId": 0, "responses": []any{object{"status": 200, "data": object{
							"profileId": id, "sessionId": c.grant(letters("abcdefghijklmnopqrstuvwxyz0123456789", 26)), "newUser": "true", "createdAt": 1_764_000_000_000, "server_time": 1_764_000_000_001,
						}}}}
					}
					return c.must(c.get("sessionId"), func() any {
						return object{"packetId": 1, "responses": []any{object{"status": 200, "data": object{"entities": []any{}}}}}
					})
				}}
			},
			App: func(p *Phone) {
				session := p.keep("session", func() string {
					return p.post("https://api.braincloudservers.com/dispatcherv2", object{"gameId": "13726", "packetId": 0, "sessionId": "", "messages": []any{object{
						"service": "authenticationV2", "operation": "AUTHENTICATE", "data": object{"externalId": uuid(), "authenticationType": "Anonymous", "forceCreate": true, "gameId": "13726", "releasePlatform": "ANG"},
					}}}, headers{"X-APPID", "13726"}).at("responses", "0", "data", "sessionId")
				})
				p.post("https://api.braincloudservers.com/dispatcherv2", object{"gameId": "13726", "packetId": 1, "sessionId": session, "messages": []any{object{
					"service": "entity", "operation": "GET_ALL", "data": object{},
				}}}, headers{"X-APPID", "13726"})
			},
		},
		{
			Name: "beamable", Label: Account, Signature: "beamable-guest",
			About: "a guest player of Beamable",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.beamable.com/basic/auth/token": func(c *call) any {
						c.account("", uuid)
						return object{"access_token": c.grant(uuid()), "refresh_token": c.grant(uuid()), "token_type": "access", "expires_in": 863999999, "scopes": []any{}}
					},
					"GET api.beamable.com/basic/accounts/me": func(c *call) any {
						return c.must(c.bearer(), func() any { return object{"id": 1391842, "deviceIds": []any{}, "thirdParties": []any{}} })
					},
				}
			},
			App: func(p *Phone) {
				scope := headers{"X-DE-SCOPE", "1393.DE_1394"}
				token := p.keep("token", func() string {
					return p.post("https://api.beamable.com/basic/auth/token", object{"grant_type": "guest"}, scope).at("access_token")
				})
				p.get("https://api.beamable.com/basic/accounts/me", append(bearer(token), scope...))
			},
		},
		{
			Name: "accelbyte", Label: Account, Signature: "accelbyte-device", Hangs: "ssaid",
			About: "a player by the device's id, on the game's own host",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST game.accelbyte.example/iam/v4/oauth/platforms/device/token": func(c *call) any {
						id, _ := c.account(c.get("device_id"), hex16)
						return object{"access_token": c.grant(jwt(object{"sub": id, "namespace": "game"})), "refresh_token": c.grant(opaque(60)), "user_id": id, "namespace": "game", "platform_id": "device", "platform_user_id": c.get("device_id"), "token_type": "Bearer", "expires_in": 3600}
					},
					"GET game.accelbyte.example/iam/v3/public/users/me": func(c *call) any {
						return c.must(c.bearer(), func() any { return object{"userId": subject(c.bearer()), "createdAt": stamp()} })
					},
				}
			},
			App: func(p *Phone) {
				r := p.post("https://game.accelbyte.example/iam/v4/oauth/platforms/device/token", url.Values{"device_id": {p.SSAID}, "createHeadless": {"true"}}, headers{"Authorization", "Basic Z2FtZTo="})
				p.get("https://game.accelbyte.example/iam/v3/public/users/me", bearer(r.at("access_token")))
			},
		},
	}
}

// byIdentifier makes an account known by its own id, as a guest's is who keeps it.
func (l *Ledger) byIdentifier(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byKey[string(Account)+" "+id] = id
}

func playfab(*Ledger) Routes {
	login := func(c *call) any {
		if c.get("CreateAccount") != "true" {
			return fault{400, object{"error": "AccountNotFound", "errorCode": 1001}}
		}
		id, isNew := c.account(c.get("AndroidDeviceId")+c.get("CustomId"), func() string { return strings.ToUpper(hexID(8)) })
		return object{"code": 200, "status": "OK", "data": object{
			"PlayFabId": id, "NewlyCreated": isNew, "SessionTicket": c.grant(id + "--" + opaque(32) + "-1A2B3-" + hexID(4)), "SettingsForUser": object{"NeedsAttribution": false},
			"EntityToken": object{"EntityToken": c.grant(opaque(120)), "TokenExpiration": stamp(), "Entity": object{"Id": strings.ToUpper(hexID(8)), "Type": "title_player_account"}},
		}}
	}
	return Routes{
		"POST 1a2b3.playfabapi.com/Client/LoginWithAndroidDeviceID": login,
		"POST 1a2b3.playfabapi.com/Client/LoginWithCustomID":        login,
		"POST 1a2b3.playfabapi.com/Client/GetAccountInfo": func(c *call) any {
			return c.must(c.Header.Get("X-Authorization"), func() any {
				return object{"code": 200, "status": "OK", "data": object{"AccountInfo": object{"Created": stamp(), "TitleInfo": object{"Origination": "Android"}}}}
			})
		},
	}
}

func nakama(*Ledger) Routes {
	return Routes{
		"POST nakama.groundtruth.example/v2/account/authenticate/device": func(c *call) any {
			id, isNew := c.account(c.get("id"), uuid)
			return object{
				"created": isNew, "token": c.grant(jwt(object{"tid": uuid(), "uid": id, "usn": letters(base62, 10)})),
				"refresh_token": c.grant(jwt(object{"tid": uuid(), "uid": id, "usn": "player"})),
			}
		},
		"GET nakama.groundtruth.example/v2/account": func(c *call) any {
			return c.must(c.bearer(), func() any {
				return object{"user": object{"id": claim(c.bearer(), "uid"), "username": "player", "create_time": stamp()}, "devices": []any{}}
			})
		},
	}
}
