package groundtruth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// registrations are SDKs that register an installation or a device.
func registrations() []Service {
	out := []Service{
		{
			Name: "bytedance-device-register", Label: Installation, Signature: "bytedance-device-register",
			About: "a device and an installation, from a sealed body: the device is known again, and is no account",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"POST log.snssdk.com/service/2/device_register/": func(c *call) any {
						device := l.installation("", snowflake)
						install := snowflake()
						return object{"server_time": 1_764_000_000, "device_id": number(device), "device_id_str": c.grant(device), "install_id": number(install), "install_id_str": install, "new_user": 1, "device_token": "AAA" + opaque(27)}
					},
					"GET api.applog.example/feed": func(c *call) any { return c.must(c.FormValue("device_id"), posts) },
				}
			},
			App: func(p *Phone) {
				if p.Storage["device"] == "" {
					r := p.post("https://log.snssdk.com/service/2/device_register/?tt_data=a&aid=1233&os_version=14", append([]byte("tc\x02\x02"), random(600)...), nil)
					p.Storage["device"], p.Storage["install"] = r.at("device_id_str"), r.at("install_id_str")
				}
				p.get("https://api.applog.example/feed?aid=1233&device_id="+p.Storage["device"]+"&iid="+p.Storage["install"], nil)
			},
		},
		{
			Name: "branch", Label: Installation, Signature: "branch-install",
			About: "tokens for the device and the bundle, and a session of the SDK",
			Routes: func(l *Ledger) Routes {
				install := func(c *call) any {
					return object{"session_id": c.grant(digits(19)), "randomized_device_token": c.grant(l.installation("", func() string { return digits(19) })), "randomized_bundle_token": digits(19), "link": "https://groundtruth.app.link", "data": "{}"}
				}
				return Routes{"POST api2.branch.io/v1/install": install, "POST api2.branch.io/v1/open": func(c *call) any {
					return c.must(c.get("randomized_device_token"), func() any { return object{"link": "https://groundtruth.app.link"} })
				}}
			},
			App: func(p *Phone) {
				if p.Storage["device"] == "" {
					r := p.post("https://api2.branch.io/v1/install", object{"hardware_id": p.SSAID, "is_hardware_id_real": true, "branch_key": "key_live_groundtruth", "google_advertising_id": p.AdvertisingID}, nil)
					p.Storage["device"], p.Storage["bundle"] = r.at("randomized_device_token"), r.at("randomized_bundle_token")
				}
				p.post("https://api2.branch.io/v1/open", object{"randomized_device_token": p.Storage["device"], "randomized_bundle_token": p.Storage["bundle"], "branch_key": "key_live_groundtruth"}, nil)
			},
		},
		{
			Name: "adjust", Label: Installation, Signature: "adjust-session",
			About: "an id for the installation, which attributes it to an advertisement",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST app.adjust.com/session": func(c *call) any {
					return object{"app_token": "abcd1234efgh", "adid": l.installation(c.get("gps_adid"), hex16), "timestamp": stamp(), "message": "Install tracked", "ask_in": 2000}
				}, "POST app.adjust.com/attribution": func(c *call) any { return object{"attribution": object{"network": "Organic"}} }}
			},
			App: func(p *Phone) {
				adid := p.keep("adid", func() string {
					return p.post("https://app.adjust.com/session", url.Values{"app_token": {"abcd1234efgh"}, "gps_adid": {p.AdvertisingID}, "android_uuid": {p.keep("uuid", uuid)}, "environment": {"production"}}, nil).at("adid")
				})
				p.post("https://app.adjust.com/attribution", url.Values{"app_token": {"abcd1234efgh"}, "adid": {adid}}, nil)
			},
		},
		{
			Name: "yandex-appmetrica", Label: Installation, Signature: "yandex-appmetrica-startup",
			About: "a device id and an installation id for statistics",
			Routes: func(l *Ledger) Routes {
				return Routes{"GET startup.mobile.yandex.net/analytics/startup": func(c *call) any {
					return object{"device_id": object{"value": l.installation("", hex16), "hash": digits(19)}, "uuid": object{"value": hex16()}, "query_hosts": object{"list": object{"report": object{"urls": []any{"https://report.appmetrica.yandex.net"}}}}}
				}, "POST report.appmetrica.yandex.net/report": func(c *call) any { return object{"status": "accepted"} }}
			},
			App: func(p *Phone) {
				if p.Storage["uuid"] == "" {
					r := p.get("https://startup.mobile.yandex.net/analytics/startup?query_hosts=2&app_id=org.example&adv_id="+p.AdvertisingID, nil)
					p.Storage["uuid"], p.Storage["device"] = r.at("uuid", "value"), r.at("device_id", "value")
				}
				p.post("https://report.appmetrica.yandex.net/report?uuid="+p.Storage["uuid"]+"&deviceid="+p.Storage["device"], random(200), nil)
			},
		},
		{
			Name: "adobe-ecid", Label: Installation, Signature: "adobe-ecid",
			About: "an id for a visitor's device, shared by Adobe's services",
			Routes: func(l *Ledger) Routes {
				return Routes{"GET dpm.demdex.net/id": func(c *call) any {
					if mid := c.FormValue("d_mid"); mid != "" {
						return object{"d_mid": mid, "dcs_region": 6, "id_sync_ttl": 604800}
					}
					return object{"d_mid": l.installation("", func() string { return digits(38) }), "d_blob": opaque(40), "dcs_region": 6, "id_sync_ttl": 604800, "d_ottl": 7200}
				}}
			},
			App: func(p *Phone) {
				const base = "https://dpm.demdex.net/id?d_rtbd=json&d_ver=2&d_orgid=7ABB3E6A5A7491460A495D61%40AdobeOrg"
				mid := p.keep("mid", func() string { return p.get(base, nil).at("d_mid") })
				p.get(base+"&d_mid="+mid, nil)
			},
		},
		{
			Name: "parse-installation", Label: Installation, Signature: "parse-installation",
			About: "an installation for notifications, which stands beside the users and is none",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST parse.groundtruth.example/parse/installations": func(c *call) any {
					return object{"objectId": l.installation("", func() string { return letters(base62, 24) }), "createdAt": stamp()}
				}, "PUT parse.groundtruth.example/parse/installations/{id}": func(c *call) any { return object{"updatedAt": stamp()} }}
			},
			App: func(p *Phone) {
				key := headers{"X-Parse-Application-Id", "groundtruth-app"}
				id := p.keep("id", func() string {
					return p.post("https://parse.groundtruth.example/parse/installations", object{"deviceType": "android", "installationId": p.keep("own", uuid), "timeZone": "Europe/Berlin"}, key).at("objectId")
				})
				p.do("PUT", "https://parse.groundtruth.example/parse/installations/"+id, object{"badge": 0}, key)
			},
		},
		{
			Name: "xandr-uid", Label: Installation, Signature: "xandr-uid",
			About: "an advertising company's cookie for a browser, handed to another company through a redirect with a uid in it",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"GET ib.adnxs.com/getuid": func(c *call) any {
						id := ""
						if old, err := c.Cookie("uuid2"); err == nil {
							id = old.Value
						} else {
							id = l.installation("", func() string { return digits(19) })
						}
						c.out.Add("Set-Cookie", (&http.Cookie{Name: "uuid2", Value: id, Path: "/", Secure: true, HttpOnly: true, MaxAge: 7776000}).String())
						return redirect("https://partner.groundtruth.example/match?adnxs_uid=" + id)
					},
					"GET partner.groundtruth.example/match": func(*call) any { return text{"image/gif", "GIF89a"} },
				}
			},
			App: func(p *Phone) {
				p.get("https://ib.adnxs.com/getuid?https%3A%2F%2Fpartner.groundtruth.example%2Fmatch%3Fadnxs_uid%3D%24UID", nil)
			},
		},
		{
			Name: "prebid-setuid", Label: Installation, Signature: "prebid-setuid",
			About: "the ids under which bidders know a browser, kept in a cookie for all of them",
			Routes: func(l *Ledger) Routes {
				return Routes{
					"GET prebid.groundtruth.example/setuid": func(c *call) any {
						l.installation("", uuid)
						uids := base64.StdEncoding.EncodeToString(encode(object{"tempUIDs": object{c.FormValue("bidder"): object{"uid": c.FormValue("uid"), "expires": stamp()}}}))
						c.out.Add("Set-Cookie", (&http.Cookie{Name: "uids", Value: uids, Path: "/", Secure: true, MaxAge: 7776000}).String())
						return text{"image/gif", "GIF89a"}
					},
					"POST prebid.groundtruth.example/openrtb2/auction": func(c *call) any { return object{"id": c.get("id"), "seatbid": []any{}} },
				}
			},
			App: func(p *Phone) {
				p.get("https://prebid.groundtruth.example/setuid?bidder=adnxs&uid="+p.keep("uid", func() string { return digits(19) }), nil)
				p.post("https://prebid.groundtruth.example/openrtb2/auction", object{"id": uuid(), "imp": []any{object{"id": "1"}}}, nil)
			},
		},
	}
	return append(out, clientMade()...)
}

// clientMade are ids that the app makes and the service only notes.
func clientMade() []Service {
	type sdk struct {
		name, signature, address, about string
		send                            func(p *Phone, address, id string)
	}
	var out []Service
	for _, s := range []sdk{
		{"appsflyer", "appsflyer-launch", "https://launches.appsflyer.com/api/v6.15/androidevent", "the uid of AppsFlyer", func(p *Phone, a, id string) {
			p.post(a, object{"uid": "1764000000000-" + id, "advertiserId": p.AdvertisingID, "counter": "1"}, nil)
		}},
		{"facebook", "facebook-activities", "https://graph.facebook.com/v17.0/104729104729104/activities", "the anon_id of Facebook", func(p *Phone, a, id string) {
			p.post(a, url.Values{"event": {"MOBILE_APP_INSTALL"}, "anon_id": {"XZ" + id}, "advertiser_id": {p.AdvertisingID}, "format": {"json"}}, nil)
		}},
		{"google-analytics", "google-analytics-app", "https://app-measurement.com/a", "the app_instance_id of Google Analytics, in protobuf", func(p *Phone, a, id string) {
			p.post(a, append([]byte("\x0a\x24\x82\x01\x20"), strings.ReplaceAll(id, "-", "")...), nil)
		}},
		{"braze", "braze-data", "https://sdk.iad-01.braze.com/api/v3/data", "the device_id of Braze, under which it opens an anonymous profile", func(p *Phone, a, id string) {
			p.post(a, object{"device_id": id, "api_key": "0f1e2d3c", "device": object{"model": "Pixel 6", "ad_tracking_enabled": false}}, nil)
		}},
		{"kochava", "kochava-install", "https://control.kochava.com/track/json", "the kochava_device_id", func(p *Phone, a, id string) {
			p.post(a, object{"action": "install", "kochava_device_id": "KA" + id, "data": object{"adid": p.AdvertisingID}}, nil)
		}},
		{"singular", "singular-start", "https://sdk-api-v1.singular.net/api/v1/start", "what Singular tells an installation by", func(p *Phone, a, id string) {
			p.post(a+"?aifa="+p.AdvertisingID+"&i=org.example&singular_install_id="+id, object{}, nil)
		}},
		{"appcenter", "appcenter-logs", "https://in.appcenter.ms/logs", "the Install-ID of App Center", func(p *Phone, a, id string) {
			p.post(a+"?api-version=1.0.0", object{"logs": []any{object{"type": "startService"}}}, headers{"Install-ID", id, "App-Secret", "2f6d1c1e-7c11-4111-8222-abcdefabcdef"})
		}},
		{"pushwoosh", "pushwoosh-register", "https://cp.pushwoosh.com/json/1.3/registerDevice", "the hwid of Pushwoosh", func(p *Phone, a, id string) {
			p.post(a, object{"request": object{"application": "A36B5-DA656", "hwid": id, "device_type": 3, "push_token": opaque(40)}}, nil)
		}},
		{"segment", "segment-anonymous", "https://api.segment.io/v1/batch", "the anonymousId of Segment", func(p *Phone, a, id string) {
			p.post(a, object{"batch": []any{object{"type": "track", "event": "Application Installed", "anonymousId": id}}}, headers{"Authorization", "Basic d3JpdGVrZXk6"})
		}},
		{"amplitude", "amplitude-device", "https://api2.amplitude.com/2/httpapi", "the device_id of Amplitude", func(p *Phone, a, id string) {
			p.post(a, object{"api_key": "6ebfc162", "events": []any{object{"event_type": "session_start", "device_id": id + "R"}}}, nil)
		}},
	} {
		u, _ := url.Parse(s.address)
		out = append(out, Service{
			Name: s.name, Label: Installation, Signature: s.signature,
			About: s.about + ": the app makes it, the service notes it",
			Routes: func(l *Ledger) Routes {
				return Routes{"POST " + u.Host + u.Path: func(c *call) any {
					l.installation("", uuid)
					return object{"success": true, "status": "ok"}
				}}
			},
			App: func(p *Phone) { s.send(p, s.address, p.keep("id", uuid)) },
		})
	}
	return out
}
