package groundtruth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/vmihailenco/msgpack/v5"
)

// hardOwn are accounts of services that do it in their own way.
func hardOwn() []Service {
	return []Service{
		once("own-graphql", Account, "a GraphQL mutation that makes a viewer, with a token",
			func(c *call) any {
				id, _ := c.account("", uuid)
				return object{"data": object{"createGuest": object{"viewer": object{"id": id, "isGuest": true}, "jwt": c.grant(jwt(object{"v": 1}))}}}
			}, feed,
			func(p *Phone, start, use string) {
				token := p.keep("token", func() string {
					return p.post(start, object{"operationName": "CreateGuest", "query": "mutation CreateGuest { createGuest { viewer { id isGuest } jwt } }"}, nil).at("data", "createGuest", "jwt")
				})
				p.get(use, bearer(token))
			}),
		once("own-path", Account, "a user whose number is all that it takes, in the path of every request",
			func(c *call) any {
				id, _ := c.account("", uuid)
				return object{"user": object{"id": c.grant(id), "name": "guest"}}
			}, func(c *call) any { return posts() },
			func(p *Phone, start, use string) {
				id := p.keep("id", func() string { return p.post(start, object{}, nil).at("user", "id") })
				p.get(use+"/users/"+id+"/feed", nil)
			}),
		once("own-signed", Account, "a user and a secret, with which the app signs its requests and which it never sends",
			func(c *call) any {
				id, _ := c.account("", uuid)
				return object{"account_id": id, "secret": base64.StdEncoding.EncodeToString(random(32))}
			}, func(c *call) any { return posts() },
			func(p *Phone, start, use string) {
				if p.Storage["id"] == "" {
					r := p.post(start, object{}, nil)
					p.Storage["id"], p.Storage["secret"] = r.at("account_id"), r.at("secret")
				}
				mac := hmac.New(sha256.New, []byte(p.Storage["secret"]))
				mac.Write([]byte("GET /v1/use"))
				p.get(use, headers{"X-Account-Id", p.Storage["id"], "X-Signature", hex.EncodeToString(mac.Sum(nil))})
			}),
		once("own-basic", Account, "a user and a password that the service makes, sent as HTTP Basic",
			func(c *call) any {
				id, _ := c.account("", func() string { return "u" + hexID(8) })
				return object{"credentials": object{"username": id, "password": opaque(24)}, "user_id": id}
			}, func(c *call) any { return posts() },
			func(p *Phone, start, use string) {
				if p.Storage["user"] == "" {
					r := p.post(start, object{}, nil)
					p.Storage["user"], p.Storage["password"] = r.at("credentials", "username"), r.at("credentials", "password")
				}
				p.get(use, headers{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(p.Storage["user"]+":"+p.Storage["password"]))})
			}),
		once("own-msgpack", Account, "a user and a token in MessagePack",
			func(c *call) any {
				id, _ := c.account("", snowflake)
				b, _ := msgpack.Marshal(object{"user": object{"id": id}, "token": c.grant(opaque(32))}) // text always encodes
				return text{"application/msgpack", string(b)}
			}, feed,
			func(p *Phone, start, use string) {
				token := p.keep("token", func() string {
					var got object
					if p.Err == nil {
						if err := msgpack.Unmarshal([]byte(p.post(start, object{}, nil).text), &got); err != nil {
							p.Err = err
						}
					}
					return at(got, "token")
				})
				p.get(use, bearer(token))
			}),
		once("own-list", Account, "a user among others in a list, of which the first is the person",
			func(c *call) any {
				id, _ := c.account("", uuid)
				return object{"result": object{"account_id": id, "profiles": []any{object{"profile_id": uuid(), "name": "You"}}}, "auth": object{"access": c.grant(opaque(32)), "refresh": opaque(32)}}
			}, feed,
			func(p *Phone, start, use string) {
				p.get(use, bearer(p.keep("token", func() string { return p.post(start, object{}, nil).at("auth", "access") })))
			}),
	}
}
