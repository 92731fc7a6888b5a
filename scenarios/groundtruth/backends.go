package groundtruth

import "net/http"

// backends are services that an app has instead of a server of its own.
func backends() []Service {
	return []Service{
		{
			Name: "supabase", Label: Account, Signature: "supabase-anonymous", Page: "supabase.js",
			About: "an anonymous sign-in: a user, and after a reinstall another one", Routes: supabase,
		},
		{
			Name: "appwrite", Label: Account, Signature: "appwrite-anonymous", Page: "appwrite.js",
			About: "an anonymous session, which makes a user", Routes: appwrite,
		},
		{
			Name: "parse", Label: Account, Signature: "parse-anonymous", Page: "parse.js",
			About: "an anonymous user, by an id that the app makes", Routes: parse,
		},
		{
			Name: "nhost", Label: Account, Signature: "nhost-anonymous", Page: "nhost.js",
			About: "an anonymous user", Routes: nhost,
		},
		{
			Name: "realm", Label: Account, Signature: "realm-anonymous", Page: "realm.js",
			About: "an anonymous user of MongoDB App Services", Routes: realm,
		},
		{
			Name: "backendless", Label: Account, Signature: "backendless-guest", Page: "backendless.js",
			About: "a guest user", Routes: backendless,
		},
		{
			Name: "cognito", Label: Account, Signature: "cognito-identity",
			About: "an unauthenticated identity of an identity pool, with credentials for it",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST cognito-identity.eu-west-1.amazonaws.com/": func(c *call) any {
					switch c.Header.Get("X-Amz-Target") {
					case "AWSCognitoIdentityService.GetId":
						id, _ := c.account("", func() string { return "eu-west-1:" + uuid() })
						return object{"IdentityId": c.grant(id)}
					case "AWSCognitoIdentityService.GetCredentialsForIdentity":
						return c.must(c.get("IdentityId"), func() any {
							return object{"IdentityId": c.get("IdentityId"), "Credentials": object{
								"AccessKeyId": "ASIA" + letters(base62, 16), "SecretKey": opaque(30), "SessionToken": opaque(200), "Expiration": 1.764e9,
							}}
						})
					}
					return fault{400, object{"__type": "UnknownOperationException"}}
				}}
			},
			App: func(p *Phone) {
				ask := func(operation string, body object) reply {
					return p.post("https://cognito-identity.eu-west-1.amazonaws.com/", body, headers{
						"X-Amz-Target", "AWSCognitoIdentityService." + operation, "Content-Type", "application/x-amz-json-1.1",
					})
				}
				id := p.keep("identity", func() string {
					return ask("GetId", object{"IdentityPoolId": "eu-west-1:2f6d1c1e-0000-4111-8222-abcdefabcdef"}).at("IdentityId")
				})
				ask("GetCredentialsForIdentity", object{"IdentityId": id})
			},
		},
		{
			Name: "instant", Label: Account, Signature: "instant-guest",
			About: "a guest of InstantDB",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST api.instantdb.com/runtime/auth/sign_in_guest": func(c *call) any {
						id, _ := c.account("", uuid)
						return object{"user": object{"id": id, "type": "guest", "email": nil, "app_id": c.get("app-id"), "refresh_token": c.grant(uuid())}}
					},
					"POST api.instantdb.com/runtime/auth/verify_refresh_token": func(c *call) any {
						return c.must(c.get("refresh-token"), func() any { return object{"user": object{"refresh_token": c.get("refresh-token")}} })
					},
				}
			},
			App: func(p *Phone) {
				const app = "b2f1c7de-0d9a-4a5f-8f53-6f0c1f5c3b11"
				token := p.keep("token", func() string {
					return p.post("https://api.instantdb.com/runtime/auth/sign_in_guest", object{"app-id": app}, nil).at("user", "refresh_token")
				})
				p.post("https://api.instantdb.com/runtime/auth/verify_refresh_token", object{"app-id": app, "refresh-token": token}, nil)
			},
		},
		{
			Name: "better-auth", Label: Account, Signature: "better-auth-anonymous",
			About: "the anonymous plugin of Better Auth, with a cookie as credential",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST better-auth.example/api/auth/sign-in/anonymous": func(c *call) any {
						id, _ := c.account("", func() string { return letters(base62, 32) })
						token := c.grant(letters(base62, 32))
						c.out.Add("Set-Cookie", (&http.Cookie{Name: "__Secure-better-auth.session_token", Value: token + "." + opaque(32), Path: "/", Secure: true, HttpOnly: true}).String())
						return object{"token": token, "user": object{"id": id, "email": "temp-" + id + "@better-auth.example", "name": "Anonymous", "emailVerified": false, "createdAt": stamp()}}
					},
					"GET better-auth.example/api/auth/get-session": func(c *call) any {
						return object{"session": object{"expiresAt": stamp()}}
					},
				}
			},
			App: func(p *Phone) {
				p.keep("signed in", func() string {
					return p.post("https://better-auth.example/api/auth/sign-in/anonymous", object{}, nil).at("token")
				})
				p.get("https://better-auth.example/api/auth/get-session", nil)
			},
		},
	}
}

func supabase(*Ledger) Routes {
	return Routes{
		"POST groundtruth.supabase.co/auth/v1/signup": func(c *call) any {
			id, _ := c.account("", uuid)
			token := jwt(object{"iss": "https://groundtruth.supabase.co/auth/v1", "sub": id, "aud": "authenticated", "role": "authenticated", "is_anonymous": true, "session_id": uuid()})
			return object{
				"access_token": c.grant(token), "token_type": "bearer", "expires_in": 3600, "expires_at": 4_000_000_000, "refresh_token": c.grant(letters("abcdefghijklmnopqrstuvwxyz0123456789", 12)),
				"user": object{"id": id, "aud": "authenticated", "role": "authenticated", "email": "", "phone": "", "is_anonymous": true, "app_metadata": object{}, "user_metadata": object{}, "identities": []any{}, "created_at": stamp(), "updated_at": stamp()},
			}
		},
		"GET groundtruth.supabase.co/rest/v1/posts": func(c *call) any {
			return c.must(c.bearer(), func() any { return []any{object{"id": 1, "title": "Bread"}} })
		},
	}
}

func appwrite(*Ledger) Routes {
	const cookie = "a_session_groundtruth"
	var user string
	return Routes{
		"POST cloud.appwrite.io/v1/account/sessions/anonymous": func(c *call) any {
			user, _ = c.account("", func() string { return hexID(10) })
			secret := c.grant(opaque(120))
			c.out.Add("Set-Cookie", (&http.Cookie{Name: cookie, Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode, MaxAge: 31536000}).String())
			c.out.Set("X-Fallback-Cookies", string(encode(object{cookie: secret})))
			c.out.Set("Access-Control-Expose-Headers", "X-Fallback-Cookies")
			return object{"$id": hexID(10), "$createdAt": stamp(), "userId": user, "provider": "anonymous", "expire": stamp(), "current": true, "secret": ""}
		},
		"GET cloud.appwrite.io/v1/account": func(c *call) any {
			session, err := c.Cookie(cookie)
			if err != nil || !c.knows(session.Value) {
				return fault{401, object{"message": "User (role: guests) missing scopes ([\"account\"])", "code": 401, "type": "general_unauthorized_scope"}}
			}
			return object{"$id": user, "$createdAt": stamp(), "name": "", "email": "", "status": true}
		},
	}
}

func parse(*Ledger) Routes {
	return Routes{
		"POST parse.groundtruth.example/parse/users": func(c *call) any {
			if c.get("authData", "anonymous", "id") == "" {
				return fault{400, object{"code": 252, "error": "This authentication method is unsupported."}}
			}
			id, _ := c.account("", func() string { return letters(base62, 10) })
			return object{"objectId": id, "createdAt": stamp(), "username": letters(base62, 25), "sessionToken": c.grant("r:" + hexID(16))}
		},
		"POST parse.groundtruth.example/parse/classes/Post": func(c *call) any {
			return c.must(c.get("_SessionToken"), func() any { return object{"results": []any{object{"objectId": "Ed1nuqPvcm", "title": "Bread"}}} })
		},
	}
}

func nhost(*Ledger) Routes {
	return Routes{
		"POST groundtruth.auth.eu-central-1.nhost.run/v1/signin/anonymous": func(c *call) any {
			id, _ := c.account("", uuid)
			token := jwt(object{"sub": id, "iss": "hasura-auth", "https://hasura.io/jwt/claims": object{"x-hasura-user-id": id, "x-hasura-default-role": "anonymous", "x-hasura-user-is-anonymous": "true"}})
			return object{"mfa": nil, "session": object{
				"accessToken": c.grant(token), "accessTokenExpiresIn": 900, "refreshToken": c.grant(uuid()), "refreshTokenId": uuid(),
				"user": object{"id": id, "displayName": "Anonymous User", "isAnonymous": true, "createdAt": stamp(), "locale": "en", "defaultRole": "anonymous", "roles": []any{"anonymous"}},
			}}
		},
		"POST groundtruth.graphql.eu-central-1.nhost.run/v1": func(c *call) any {
			return c.must(c.bearer(), func() any { return object{"data": posts()} })
		},
	}
}

func realm(*Ledger) Routes {
	const (
		global = "realm.mongodb.com/api/client/v2.0/app/groundtruth-abcde"
		newer  = "services.cloud.mongodb.com/api/client/v2.0/app/groundtruth-abcde"
		local  = "eu-west-1.aws.services.cloud.mongodb.com"
	)
	where := func(*call) any {
		return object{"deployment_model": "LOCAL", "location": "IE", "hostname": "https://" + local, "ws_hostname": "wss://ws." + local}
	}
	return Routes{
		"GET " + global + "/location": where,
		"GET " + newer + "/location":  where,
		"POST " + local + "/api/client/v2.0/app/groundtruth-abcde/auth/providers/anon-user/login": func(c *call) any {
			id, _ := c.account("", hex12)
			device := c.installation("", hex12)
			return object{
				"access_token":  c.grant(jwt(object{"baas_device_id": device, "sub": id, "typ": "access", "iss": hex12()})),
				"refresh_token": c.grant(jwt(object{"baas_device_id": device, "sub": id, "typ": "refresh"})),
				"user_id":       id, "device_id": device,
			}
		},
		"GET " + local + "/api/client/v2.0/auth/profile": func(c *call) any {
			return c.must(c.bearer(), func() any { return object{"type": "normal", "identities": []any{}, "data": object{}} })
		},
		"POST " + local + "/api/client/v2.0/app/groundtruth-abcde/functions/call": func(c *call) any {
			return c.must(c.bearer(), func() any { return []any{"Bread", "Soup"} })
		},
	}
}

func backendless(*Ledger) Routes {
	const app = "api.backendless.com/5B1C9F0E-27D4-4A43-9C1A-0D6F3A1BE972/8C1F0D3A-B27E-4594-86A1-5B1C9F0E27D4"
	return Routes{
		"POST " + app + "/users/register/guest": func(c *call) any {
			id, _ := c.account("", func() string { return uuid() })
			return object{"___class": "Users", "objectId": id, "userStatus": "GUEST", "created": 1_764_000_000_000, "user-token": c.grant(uuid())}
		},
		"GET " + app + "/data/Posts": func(c *call) any {
			return c.must(c.Header.Get("user-token"), func() any { return []any{object{"title": "Bread"}} })
		},
		"POST " + app + "/data/Posts/find": func(c *call) any {
			return c.must(c.Header.Get("user-token"), func() any { return []any{object{"title": "Bread"}} })
		},
	}
}
