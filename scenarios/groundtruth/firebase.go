package groundtruth

import (
	"net/url"
	"strings"
)

// firebase are Google's services for apps.
func firebase() []Service {
	return []Service{
		{
			Name: "firebase-auth", Label: Account, Signature: "firebase-auth-anonymous", Page: "firebase-auth.js",
			About:  "an anonymous user of Firebase Authentication: a principal, and after a reinstall another one",
			Routes: firebaseAuth,
		},
		{
			Name: "firebase-auth-older", Label: Account, Signature: "firebase-auth-anonymous",
			About:  "the same through the older endpoint",
			Config: map[string]string{"api_key": "AIzaSyGroundTruthGroundTruthGroundTru00"},
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser": firebaseSignUp,
					"GET api.firebase-older.example/v1/feed":                                feed,
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					return p.post("https://www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser?key="+p.Config["api_key"], object{"returnSecureToken": true}, nil).at("idToken")
				})
				p.get("https://api.firebase-older.example/v1/feed", bearer(token))
			},
		},
		{
			Name: "firebase-create-auth-uri", Label: Nothing,
			About: "a question whether an address has an account: the answer holds a session id that is never used",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST identitytoolkit.googleapis.com/v1/accounts:createAuthUri": func(c *call) any {
					return object{"kind": "identitytoolkit#CreateAuthUriResponse", "registered": false, "sessionId": opaque(20)}
				}}
			},
			App: func(p *Phone) {
				p.post("https://identitytoolkit.googleapis.com/v1/accounts:createAuthUri?key=AIzaSyGroundTruthGroundTruthGroundTru00",
					object{"identifier": "nobody@mail.example", "continueUri": "http://localhost"}, nil)
			},
		},
		{
			Name: "firebase-installations", Label: Installation, Signature: "firebase-installations", Page: "firebase-installations.js",
			About:  "an id and tokens for this installation, and Remote Config that is asked with them: looks like an account and is none",
			Routes: firebaseInstallations,
		},
		{
			Name: "fcm-register", Label: Installation, Signature: "gcm-register",
			About: "a push token, as text",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST android.clients.google.com/c2dm/register3": func(c *call) any {
						token := l.installation("", func() string { return opaque(11) + ":APA91b" + opaque(99) })
						return text{"text/plain; charset=UTF-8", "token=" + token}
					},
					"POST api.push-app.example/v1/push": func(c *call) any { return object{"ok": true} },
				}
			},
			App: func(p *Phone) {
				token := p.keep("token", func() string {
					_, token, _ := strings.Cut(p.post("https://android.clients.google.com/c2dm/register3", url.Values{
						"X-subtype": {"104729104729"}, "sender": {"104729104729"}, "app": {"org.example.groundtruth"}, "X-appid": {opaque(8)}, "device": {digits(19)},
					}, headers{"Authorization", "AidLogin " + digits(19) + ":" + digits(19)}).text, "=")
					return token
				})
				p.post("https://api.push-app.example/v1/push", object{"push_token": token}, nil)
			},
		},
		{
			Name: "google-checkin", Label: Installation, Signature: "google-checkin",
			About: "an android id and a security token, in protobuf",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST android.clients.google.com/checkin": func(c *call) any {
					id := l.installation("", func() string { return string(random(8)) })
					return text{"application/x-protobuffer", "\x08\x01\x39" + id + "\x41" + string(random(8))}
				}}
			},
			App: func(p *Phone) {
				p.post("https://android.clients.google.com/checkin", append([]byte("\x10\x00\x22\x04\x12\x02en"), random(8)...), nil)
			},
		},
	}
}

// firebaseSignUp is accounts:signUp, and what it was called before.
func firebaseSignUp(c *call) any {
	if c.get("returnSecureToken") != "true" || c.URL.Query().Get("key") == "" {
		return fault{400, object{"error": object{"code": 400, "message": "OPERATION_NOT_ALLOWED"}}}
	}
	uid, _ := c.account("", firebaseUID)
	return object{
		"kind": "identitytoolkit#SignupNewUserResponse", "localId": uid, "expiresIn": "3600",
		"idToken": c.grant(firebaseToken(uid)), "refreshToken": c.grant("AMf-v" + opaque(160)),
	}
}

func firebaseToken(uid string) string {
	return jwt(object{
		"iss": "https://securetoken.google.com/ground-truth", "aud": "ground-truth", "user_id": uid, "sub": uid, "provider_id": "anonymous",
		"firebase": object{"identities": object{}, "sign_in_provider": "anonymous"},
	})
}

func firebaseAuth(l *Ledger) Routes {
	return Routes{
		"POST identitytoolkit.googleapis.com/v1/accounts:signUp": firebaseSignUp,
		"POST identitytoolkit.googleapis.com/v1/accounts:lookup": func(c *call) any {
			return c.must(c.get("idToken"), func() any {
				return object{"kind": "identitytoolkit#GetAccountInfoResponse", "users": []any{object{
					"localId": subject(c.get("idToken")), "lastLoginAt": "1764000000000", "createdAt": "1764000000000", "lastRefreshAt": stamp(),
				}}}
			})
		},
		"POST securetoken.googleapis.com/v1/token": func(c *call) any {
			return c.must(c.get("refresh_token"), func() any {
				token := c.grant(firebaseToken(""))
				return object{"access_token": token, "id_token": token, "expires_in": "3600", "token_type": "Bearer", "refresh_token": c.get("refresh_token")}
			})
		},
		"GET api.firebase-app.example/v1/feed": feed,
	}
}

func firebaseInstallations(l *Ledger) Routes {
	return Routes{
		"POST firebaseinstallations.googleapis.com/v1/projects/ground-truth/installations": func(c *call) any {
			fid := l.installation("", func() string { return c.get("fid") })
			return object{
				"name": "projects/104729104729/installations/" + fid, "fid": fid, "refreshToken": c.grant("3_" + opaque(80)),
				"authToken": object{"token": c.grant(jwt(object{"appId": c.get("appId"), "fid": fid, "projectNumber": 104729104729})), "expiresIn": "604800s"},
			}
		},
		"POST firebaseremoteconfig.googleapis.com/v1/projects/ground-truth/namespaces/firebase:fetch": func(c *call) any {
			return c.must(c.Header.Get("X-Goog-Firebase-Installations-Auth"), func() any {
				return object{"entries": object{"welcome": "hello", "theme_id": hex16()}, "state": "UPDATE", "templateVersion": "7"}
			})
		},
	}
}
