package groundtruth

import (
	"net/http"
	"strings"
)

// once is a service with a host of its own that is asked once and then used.
func once(name string, label Label, about string, start, use endpoint, app func(p *Phone, start, use string)) Service {
	host := name + ".groundtruth.example"
	return Service{
		Name: name, Label: label, About: about,
		Routes: func(*Ledger) Routes {
			return Routes{"POST " + host + "/v1/start": start, host + "/v1/use": use, host + "/v1/use/": use}
		},
		App: func(p *Phone) { app(p, "https://"+host+"/v1/start", "https://"+host+"/v1/use") },
	}
}

// traps look like an account, a session or an installation, and are less.
func traps() []Service {
	out := []Service{
		once("echo", Nothing, "the app makes an id and a token, and the service says them back",
			func(c *call) any {
				return object{"user_id": c.get("id"), "access_token": c.grant(c.get("secret"))}
			}, feed,
			func(p *Phone, start, use string) {
				id, secret := p.keep("id", uuid), p.keep("secret", func() string { return opaque(32) })
				p.get(use, bearer(p.post(start, object{"id": id, "secret": secret}, nil).at("access_token")))
			}),
		once("upsert", Session, "a record under the app's own id: only the token is the service's",
			func(c *call) any {
				return object{"user_id": c.get("user_id"), "access_token": c.grant(c.session(func() string { return opaque(32) }))}
			}, feed,
			func(p *Phone, start, use string) {
				p.get(use, bearer(p.post(start, object{"user_id": p.keep("id", uuid)}, nil).at("access_token")))
			}),
		once("cdn-cookie", Nothing, "a cookie of a delivery network, sent back with every request, beside ids of other things",
			func(c *call) any {
				for _, name := range []string{"__cf_bm", "AWSALB", "_abck"} {
					c.out.Add("Set-Cookie", (&http.Cookie{Name: name, Value: opaque(48), Path: "/", Secure: true}).String())
				}
				c.out.Set("CF-RAY", hexID(8)+"-FRA")
				return object{"page_id": uuid()}
			}, func(*call) any { return posts() },
			func(p *Phone, start, use string) { p.post(start, object{}, nil); p.get(use, nil) }),
		once("csrf-token", Nothing, "a token that guards a form",
			func(c *call) any {
				token := c.grant(opaque(32))
				c.out.Add("Set-Cookie", (&http.Cookie{Name: "XSRF-TOKEN", Value: token, Path: "/", Secure: true}).String())
				return object{"csrf_token": token}
			}, func(c *call) any { return c.must(c.Header.Get("X-CSRF-Token"), posts) },
			func(p *Phone, start, use string) {
				p.post(use, object{"q": "bread"}, headers{"X-CSRF-Token", p.post(start, object{}, nil).at("csrf_token")})
			}),
		once("cart", Nothing, "a basket, whose id goes with every request",
			func(c *call) any {
				return object{"cart": object{"id": c.grant(uuid()), "items": []any{}}, "cart_id": uuid()}
			}, func(c *call) any { return c.must(c.get("cart_id"), posts) },
			func(p *Phone, start, use string) {
				cart := p.keep("cart", func() string { return p.post(start, object{}, nil).at("cart", "id") })
				p.post(use, object{"cart_id": cart, "sku": "bread"}, nil)
			}),
		once("remote-config", Nothing, "a configuration full of ids, one of which comes back",
			func(c *call) any {
				return object{"config_id": c.grant(uuid()), "config": object{"theme": hex16(), "banner": uuid(), "min_version": "1.2.0"}, "etag": hex16()}
			}, func(c *call) any { return c.must(c.FormValue("config_id"), posts) },
			func(p *Phone, start, use string) {
				p.get(use+"?config_id="+p.post(start, object{}, nil).at("config_id"), nil)
			}),
		once("flag-bucket", Nothing, "the bucket of a test, sent back as a header",
			func(c *call) any {
				return object{"experiment": object{"name": "new-home", "bucket": c.grant(uuid()), "variant": "b"}}
			}, func(c *call) any { return c.must(c.Header.Get("X-Experiment-Bucket"), posts) },
			func(p *Phone, start, use string) {
				p.get(use, headers{"X-Experiment-Bucket", p.post(start, object{}, nil).at("experiment", "bucket")})
			}),
		once("push-token", Nothing, "the system's push token, registered and said back",
			func(c *call) any { return object{"token": c.get("token"), "registered": true} },
			func(*call) any { return posts() },
			func(p *Phone, start, use string) {
				token := p.keep("push", func() string { return opaque(11) + ":APA91b" + opaque(99) })
				p.post(use, object{"token": p.post(start, object{"token": token, "platform": "android"}, nil).at("token")}, nil)
			}),
		once("sequence-number", Nothing, "the number of a visit, which counts up",
			func(c *call) any {
				return object{"visitor": 48213 + len(c.Asked()), "seq": 12, "token": "1764000000000"}
			},
			func(*call) any { return posts() },
			func(p *Phone, start, use string) { p.get(use+"/"+p.post(start, object{}, nil).at("visitor"), nil) }),
		once("expiring-session", Session, "a token that is another one at each start, and stands for nobody",
			func(c *call) any {
				return object{"session": object{"token": c.grant(c.session(func() string { return opaque(32) })), "expires_in": 60}}
			}, feed,
			func(p *Phone, start, use string) {
				p.get(use, bearer(p.post(start, object{}, nil).at("session", "token")))
			}),
		once("entity-tag", Nothing, "an entity tag that the app asks with again",
			func(c *call) any {
				c.out.Set("ETag", `"`+opaque(24)+`"`)
				return posts()
			}, func(*call) any { return posts() },
			func(p *Phone, start, use string) {
				p.get(use, headers{"If-None-Match", p.post(start, object{}, nil).header.Get("ETag")})
			}),
		once("trace-id", Nothing, "an id that follows a request through the service",
			func(c *call) any {
				c.out.Set("X-Trace-Id", hex16())
				c.out.Set("X-Request-Id", uuid())
				return posts()
			}, func(*call) any { return posts() },
			func(p *Phone, start, use string) {
				r := p.post(start, object{}, nil)
				p.get(use, headers{"X-Trace-Id", r.header.Get("X-Trace-Id"), "X-Request-Id", r.header.Get("X-Request-Id")})
			}),
		once("other-people", Nothing, "the ids of others, one of whom the app asks about",
			func(*call) any {
				return object{"items": []any{object{"user": object{"id": snowflake()}}, object{"user": object{"id": snowflake()}}}}
			},
			func(*call) any { return object{"name": "Ada"} },
			func(p *Phone, start, use string) {
				p.get(use+"/"+p.post(start, object{}, nil).at("items", "0", "user", "id"), nil)
			}),
		once("page-cursor", Nothing, "where the next page of a list begins",
			func(c *call) any {
				return object{"posts": []any{}, "next_cursor": opaque(30), "continuation_token": opaque(30)}
			},
			func(*call) any { return posts() },
			func(p *Phone, start, use string) {
				p.get(use+"?cursor="+p.post(start, object{}, nil).at("next_cursor"), nil)
			}),
		once("nonce", Nothing, "a number for one use, which guards the next request",
			func(c *call) any { return object{"nonce": c.grant(opaque(24)), "state": opaque(24)} },
			func(c *call) any { return c.must(c.get("nonce"), posts) },
			func(p *Phone, start, use string) {
				p.post(use, object{"nonce": p.post(start, object{}, nil).at("nonce")}, nil)
			}),
		once("upload-link", Nothing, "a link that nobody could guess, and that the app follows",
			func(c *call) any {
				return object{"upload_url": "https://upload-link.groundtruth.example/v1/use/" + opaque(32)}
			},
			func(*call) any { return object{"ok": true} },
			func(p *Phone, start, use string) {
				link := p.post(start, object{}, nil).at("upload_url")
				if strings.HasPrefix(link, use) {
					p.do("PUT", link, []byte("a picture"), nil)
				}
			}),
		once("exit-address", Account, "a user by the address that the request comes from: the same for everybody behind it, and not by anything of the device",
			func(c *call) any {
				address, _, _ := strings.Cut(c.RemoteAddr, ":")
				id, _ := c.account(address, snowflake)
				return object{"user_id": id, "access_token": c.grant(opaque(32))}
			}, feed,
			func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("access_token"))) }),
	}
	out[len(out)-1].Compare = true // exit-address
	backup := once("auto-backup", Account, "a user that comes back because the app's storage does: it is the phone that remembers",
		func(c *call) any {
			id, _ := c.account("", snowflake)
			return object{"user_id": id, "access_token": c.grant(opaque(32))}
		}, func(c *call) any {
			return c.must(c.bearer(), func() any { return object{"user_id": c.FormValue("me"), "name": ""} })
		},
		func(p *Phone, start, use string) {
			if p.Storage["token"] == "" {
				r := p.post(start, object{}, nil)
				p.Storage["token"], p.Storage["id"] = r.at("access_token"), r.at("user_id")
			}
			p.get(use+"?me="+p.Storage["id"], bearer(p.Storage["token"]))
		})
	backup.Backup, backup.Compare = true, true
	users := map[string]string{}
	restored := once("backed-up-token", Account, "a user whose token the app's storage brings back: the app never sends the number that the service answers with",
		func(c *call) any {
			id, _ := c.account("", snowflake)
			token := c.grant(opaque(32))
			c.mu.Lock()
			users[token] = id
			c.mu.Unlock()
			return object{"user": object{"id": id}, "access_token": token}
		}, func(c *call) any {
			return c.must(c.bearer(), func() any {
				c.mu.Lock()
				defer c.mu.Unlock()
				return object{"user": object{"id": users[c.bearer()]}}
			})
		},
		func(p *Phone, start, use string) {
			p.get(use, bearer(p.keep("token", func() string { return p.post(start, object{}, nil).at("access_token") })))
		})
	restored.Backup, restored.Compare = true, true
	inside := once("id-in-the-app", Nothing, "an id and a token that stand in the app: the same on every device",
		func(c *call) any {
			return object{"user_id": "5b8f2f0a-6c1d-4e57-9b1e-2f8a7c3d9e10", "access_token": c.grant("Zk3vQ9xW_s1LmT7bRyUe2HcJ0oNa4PdGf6Xi8KqVwY5")}
		}, feed,
		func(p *Phone, start, use string) { p.get(use, bearer(p.post(start, object{}, nil).at("access_token"))) })
	inside.Config = map[string]string{"tenant": "5b8f2f0a-6c1d-4e57-9b1e-2f8a7c3d9e10", "key": "Zk3vQ9xW_s1LmT7bRyUe2HcJ0oNa4PdGf6Xi8KqVwY5"}
	return append(append(out, backup, restored, inside), hardTraps()...)
}
