package groundtruth

import "net/url"

// sessions are guest sessions: a token that any request needs, and nobody whom it
// stands for.
func sessions() []Service {
	guest := func(name, about, signature, address, more string, body any, with headers, mint func(*call, string) any, token func(reply) string) Service {
		u, _ := url.Parse(address)
		m, _ := url.Parse(more)
		return Service{
			Name: name, Label: Session, About: about, Signature: signature,
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST " + u.Host + u.Path: func(c *call) any {
						return mint(c, c.grant(l.session(func() string { return opaque(48) })))
					},
					"GET " + m.Host + m.Path: func(c *call) any {
						if g := c.Header.Get("x-guest-token"); g != "" {
							return c.must(g, posts)
						}
						if g := c.URL.Query().Get("anonymous_token"); g != "" {
							return c.must(g, posts)
						}
						return feed(c)
					},
				}
			},
			App: func(p *Phone) {
				key := p.keep("token", func() string { return token(p.post(address, body, with)) })
				switch signature {
				case "x-guest-token":
					p.get(more, append(bearer("AAAAAAAAAAAAAAAAAAAAAFQODgEAAAAAVHTp76lzh3rFzcHbmHVvQxYYpTw"), "x-guest-token", key))
				case "vk-anonym-token":
					p.get(more+"?anonymous_token="+url.QueryEscape(key), nil)
				default:
					p.get(more, bearer(key))
				}
			},
		}
	}
	basic := headers{"Authorization", "Basic Z3JvdW5kdHJ1dGg6c2VjcmV0"}
	return []Service{
		guest("x-guest", "the guest token of X", "x-guest-token",
			"https://api.twitter.com/1.1/guest/activate.json", "https://api.twitter.com/1.1/timeline.json", nil,
			bearer("AAAAAAAAAAAAAAAAAAAAAFQODgEAAAAAVHTp76lzh3rFzcHbmHVvQxYYpTw"),
			func(c *call, t string) any { return object{"guest_token": c.grant(digits(19))} },
			func(r reply) string { return r.at("guest_token") }),
		guest("vk-anonym", "the anonymous token of VK", "vk-anonym-token",
			"https://api.vk.com/method/auth.getAnonymToken", "https://api.vk.com/method/video.get",
			url.Values{"client_id": {"2274003"}, "device_id": {"groundtruth"}, "v": {"5.131"}}, nil,
			func(c *call, t string) any {
				return object{"response": object{"token": c.grant("anonym." + t), "expired_at": 4_000_000_000}}
			},
			func(r reply) string { return r.at("response", "token") }),
		guest("commercetools", "a token for an anonymous session of a shop", "commercetools-anonymous",
			"https://auth.europe-west1.gcp.commercetools.com/oauth/groundtruth/anonymous/token", "https://api.europe-west1.gcp.commercetools.com/groundtruth/products",
			url.Values{"grant_type": {"client_credentials"}}, basic,
			func(c *call, t string) any {
				return object{"access_token": t, "expires_in": 172800, "token_type": "Bearer", "refresh_token": "groundtruth:" + opaque(32), "scope": "view_products:groundtruth anonymous_id:" + uuid()}
			},
			func(r reply) string { return r.at("access_token") }),
		guest("slas-guest", "a guest of a Salesforce shop, who has a number for the visit and no account", "salesforce-slas-guest",
			"https://kv7kzm78.api.commercecloud.salesforce.com/shopper/auth/v1/organizations/f_ecom_zzte_053/oauth2/token", "https://kv7kzm78.api.commercecloud.salesforce.com/product/shopper-products/v1/products",
			url.Values{"grant_type": {"client_credentials"}}, basic,
			func(c *call, t string) any {
				return object{"access_token": t, "refresh_token": opaque(32), "expires_in": 1800, "token_type": "BEARER", "usid": uuid(), "customer_id": letters(base62, 26), "id_token": ""}
			},
			func(r reply) string { return r.at("access_token") }),
	}
}
