package specimen

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image/color"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Device is what the specimens run on.
var Device = evidence.Device{
	Serial: "127.0.0.1:41873", Simulated: true, Model: "unasked embedded device", Release: "14", API: 34,
	Fingerprint: "unasked/embedded/virtual:14/UE1A.230829.050/1:userdebug/dev-keys", Rooted: true,
}

// Guilty is the audit of an app that does what it should not.
func Guilty(t testing.TB) Audit {
	t.Helper()
	b := newBuilder(t)
	app := evidence.App{
		Package: "org.example.clipshare", Label: "ClipShare", VersionName: "2.4.1", VersionCode: 20401, MinSDK: 26, TargetSDK: 34,
		Permissions: []string{"android.permission.INTERNET", "android.permission.CAMERA", "android.permission.ACCESS_FINE_LOCATION", "android.permission.GET_ACCOUNTS", "com.google.android.gms.permission.AD_ID"},
		Signers:     []evidence.Digest{digest("signer")}, UID: 10142,
	}
	apk := bytes.Repeat([]byte("PK\x03\x04 apk "), 900)
	app.Files = []evidence.File{{Name: "clipshare.apk", Blob: b.blob(apk), Size: int64(len(apk))}}
	b.append(evidence.KindAuditStart, evidence.AuditStart{
		Tool: "unasked 0.1.0", Command: []string{"unasked", "audit", "clipshare.apk", "--virtual", "--protocol", "quick", "--out", "audits/clipshare"},
		Protocol: "quick", Source: b.blob([]byte("name: quick\n")), Seed: strings.Repeat("5e", 32),
	})
	b.append(evidence.KindDevice, Device)
	b.append(evidence.KindApp, app)
	b.plant()
	g := guilty{builder: b, accent: color.RGBA{0x5b, 0x2a, 0x86, 0xff}}
	g.run()
	return b.seal(evidence.Manifest{Device: Device, App: app})
}

type guilty struct {
	*builder
	accent                           color.Color
	bugly, umeng, ad, place, account []judge.Pointer
	draft, face, known, maybe        []judge.Pointer
	register                         sent
	minted, used                     judge.Pointer
}

const (
	token = "cs_at_8Qm2vYx7LpR4nWzT0kHdJ6sBfE1uCgAo"
	user  = "u_7316604412983205"
)

func (g *guilty) run() {
	g.begin("baseline", "baseline", "", 2*time.Second)
	g.wait(2 * time.Second)
	g.end("baseline", 2*time.Second)

	g.begin("install", "install", "", time.Second)
	g.act("install", "org.example.clipshare")
	g.wait(time.Second)
	g.end("install", time.Second)

	dialog := Screen(g.accent, 4, 2)
	g.begin("untouched", "launch", evidence.Untouched, 8*time.Second)
	g.act("launch", "org.example.clipshare")
	g.wait(600 * time.Millisecond)
	g.accounts()
	g.identifiers()
	before := g.screenshot("the consent dialog, nothing touched", dialog)
	g.wait(5 * time.Second)
	g.screenshot("at the end of the phase", dialog)
	g.end("launch", 8*time.Second)

	g.begin("rejected", "consent", evidence.Untouched, 6*time.Second)
	g.wait(400 * time.Millisecond)
	g.consents(evidence.Choosing)
	g.identifiers() // of its own, just as we touch
	g.act("tap", "Not now at 103,292")
	g.consents(evidence.Rejected)
	feed := Screen(g.accent, 5, 0)
	after := g.blob(feed)
	g.append(evidence.KindTap, evidence.Tap{X: 103, Y: 292, Text: "Not now", Why: "rejects the consent dialog", Before: before})
	g.wait(900 * time.Millisecond)
	g.identifiers()
	g.screenshot("after the rejection", feed)
	g.wait(4 * time.Second)
	g.end("consent", 6*time.Second)

	g.begin("drafted", "draft", evidence.Rejected, 5*time.Second)
	g.append(evidence.KindTap, evidence.Tap{X: 103, Y: 420, Text: "Record", Why: "starts a recording", Before: after})
	g.wait(1200 * time.Millisecond)
	g.screenshot("recording", Screen(color.RGBA{0xb0, 0x20, 0x30, 0xff}, 1, 0))
	g.append(evidence.KindTap, evidence.Tap{X: 40, Y: 30, Text: "Discard", Why: "discards the recording without posting it"})
	g.drafts()
	g.connection()
	g.socket()
	g.wait(2 * time.Second)
	g.end("draft", 5*time.Second)
	g.device()
	g.judgement()
}

// accounts registers the device and creates a user for it.
func (g *guilty) accounts() {
	ssaid := Person.Value(canary.SSAID)
	g.register = g.flow(
		message{url: "https://log.clipshare.example/service/2/device_register/?aid=1233&os=android", headers: headers("application/json"),
			body: []byte(`{"magic_tag":"cs_app_log","header":{"openudid":"` + ssaid + `","display_name":"ClipShare","os_version":"14"}}`)},
		message{headers: headers("application/json"), body: []byte(`{"device_id_str":"7316604411870923","install_id_str":"7316604411981177","new_user":1}`)})
	g.place = append(g.place, g.at(g.register, "body:$.header.openudid", ssaid))
	g.find(judge.Finding{
		Claim: judge.InstallationIssued, Level: 2, Title: "ClipShare issued an installation ID", Subject: "installation", Value: "7316604411870923",
		Host: "log.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Grounds: "The response holds a value that no earlier message held, and the app sends it from then on.",
		Proof: []judge.Pointer{g.answered(g.register, "body:$.device_id_str", "7316604411870923")},
	})
	g.wait(300 * time.Millisecond)
	guest := g.flow(
		message{url: "https://api.clipshare.example/v2/user/guest", headers: headers("application/json"),
			body: []byte(`{"device_id":"7316604411870923","openudid":"` + ssaid + `"}`)},
		message{headers: append(headers("application/json"), flow.Header{Name: "Set-Cookie", Value: "sid=4c1d; Secure"}),
			body: []byte(`{"data":{"user":{"user_id":"` + user + `","screen_name":"user7316604412","create_time":1772442846},"access_token":"` + token + `"},"message":"success"}`)})
	g.minted = g.answered(guest, "body:$.data.access_token", token)
	g.minted.Role = "minted"
	g.wait(500 * time.Millisecond)
	feed := g.flow(message{method: "GET", url: "https://api.clipshare.example/v2/feed?count=20",
		headers: append(headers(""), flow.Header{Name: "Authorization", Value: "Bearer " + token})},
		message{headers: headers("application/json"), body: []byte(`{"items":[]}`)})
	g.used = g.at(feed, "header:Authorization", "Bearer "+token)
	g.used.Role = "used"
	wanted := g.at(guest, "url", "POST https://api.clipshare.example/v2/user/guest")
	wanted.Role = "asked"
	g.account = []judge.Pointer{g.minted, wanted, g.used}
}

// identifiers sends what trackers get, at each call again.
func (g *guilty) identifiers() {
	ssaid, adid := Person.Value(canary.SSAID), Person.Value(canary.AdvertisingID)
	g.wait(200 * time.Millisecond)
	bugly := g.flow(message{url: "https://android.bugly.qq.com/rqd/async?aid=c1f0", headers: append(headers("application/json"), flow.Header{Name: "Content-Encoding", Value: "gzip"}),
		body: squeeze(`{"appId":"900015015","sdkVersion":"4.1.9","deviceId":"` + ssaid + `","model":"virtual","rom":"14","events":[{"type":"launch","at":1772442847}]}`)},
		message{headers: headers("application/json"), body: []byte(`{"ok":true}`)})
	g.bugly = append(g.bugly, g.at(bugly, "body:$.deviceId", ssaid, "gzip"))
	g.wait(150 * time.Millisecond)
	inner := fmt.Sprintf(`{"header":{"appkey":"5b0f2c41","channel":"official","oaid":"%s","android_id":"%s"},"sessions":[{"duration":0}]}`, adid, ssaid)
	umeng := g.flow(message{url: "https://ulogs.umeng.com/unify_logs", headers: headers("application/x-www-form-urlencoded"),
		body: []byte("v=1.0&content=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(inner))) + "&ts=1772442847")},
		message{status: 200})
	g.umeng = append(g.umeng, g.at(umeng, "body:$.content.header.oaid", adid, "base64"))
	g.wait(220 * time.Millisecond)
	mail := sha256.Sum256([]byte(Person.Value(canary.Email)))
	hashed := hex.EncodeToString(mail[:])
	lat, lon, _ := strings.Cut(Person.Value(canary.Location), ",")
	ad := g.flow(message{method: "GET", url: "https://sync.adreach.example/match?em=" + hashed + "&lat=" + lat + "&lon=" + lon + "&gaid=" + adid, headers: headers("")},
		message{status: 204})
	g.ad = append(g.ad, g.at(ad, "url", hashed, "sha256", "hex"), g.at(ad, "url", "lat="+lat+"&lon="+lon), g.at(ad, "url", adid))
}

// drafts uploads a recording that was thrown away.
func (g *guilty) drafts() {
	piece := append([]byte("--piece\r\nContent-Disposition: form-data; name=\"chunk\"; filename=\"draft-0001.mp4\"\r\nContent-Type: video/mp4\r\n\r\n"),
		bytes.Repeat([]byte{0, 0, 0, 0x20, 'f', 't', 'y', 'p', 0xff, 0x81, 0x9e}, 900)...)
	piece = append(piece, "\r\n--piece\r\nContent-Disposition: form-data; name=\"landmarks\"\r\n\r\n[0.4127,0.3391,0.4459,0.3402,0.4790,0.3377,0.5012,0.3398]\r\n--piece--\r\n"...)
	s := g.flow(message{method: "PUT", url: "https://upload.clipshare.example/v1/draft/ab12/part/1", headers: headers("multipart/form-data; boundary=piece"), body: piece}, message{status: 201})
	g.draft = append(g.draft, g.at(s, "body:$.chunk", "bytes 0–9,900 of the recording", "multipart"))
	g.face = append(g.face, g.at(s, "body:$.landmarks", "[0.4127,0.3391,0.4459", "multipart"))
}

// connection could not be read.
func (g *guilty) connection() {
	g.append(evidence.KindConnection, flow.Connection{
		Flow: "f900", Started: g.now, Ended: g.now, Host: "pinned.clipshare.example", Port: 443, SNI: "pinned.clipshare.example",
		Reason: flow.Distrusted, Detail: "remote error: tls: unknown certificate authority", Sent: 517, Received: 1821,
	})
	g.append(evidence.KindConnection, flow.Connection{
		Flow: "f901", Started: g.now, Ended: g.now, Host: "203.0.113.9", Port: 443, SNI: "pinned.clipshare.example", Server: "203.0.113.9:443",
		Reason: flow.Passed, Sent: 3_904, Received: 12_310, JA3: "e7d705a3286e19ea42f587b344ee6865", JA4: "t13d1516h2_8daaf6152771_02713d6af862",
	})
}

// socket is a WebSocket, over which the service shows what it knows.
func (g *guilty) socket() {
	s := g.flow(message{method: "GET", url: "wss://api.clipshare.example/live", headers: []flow.Header{{Name: "Upgrade", Value: "websocket"}}}, message{status: 101})
	said := `{"op":"hello","you":"` + Person.Value(canary.Phone) + `","batch":"` + strings.Repeat("0", 40) + `"}`
	p := g.answered(s, "ws:0", said)
	p.Event = g.append(evidence.KindMessage, flow.Message{Flow: s.id, At: g.now, Body: flow.Body{Inline: []byte(said), Size: int64(len(said))}})
	p.Confidence, p.Reason = 0.97, "the value stands there with about 40 bits"
	g.known = append(g.known, p)
	p.Surface, p.Excerpt, p.Confidence, p.Reason = "ws:0", "9f4c1be2", 0.4, "its crc32 stands there with 32 bits, and nothing else beside it says so"
	g.maybe = append(g.maybe, p)
}

// device is what was left on it.
func (g *guilty) device() {
	raw := g.blob([]byte("User UserInfo{0:Owner:4c13}:\n  Accounts: 1\n    Account {name=" + user + ", type=org.example.clipshare}\n"))
	seq := g.append(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{{Name: user, Type: "org.example.clipshare"}}, Raw: raw})
	g.find(judge.Finding{
		Claim: judge.DeviceAccountAdded, Title: "An account of type org.example.clipshare stands in the device's settings", Subject: "org.example.clipshare", Value: user,
		Grounds: "It was not there before the app was installed.", Proof: []judge.Pointer{{Event: seq, Surface: "device", Excerpt: "Account {name=" + user + ", type=org.example.clipshare}", Phase: "drafted", Consent: evidence.Rejected, Blob: raw}},
	})
	prefs := g.blob([]byte("<?xml version='1.0'?>\n<map><string name=\"token\">" + token + "</string></map>\n"))
	seq = g.append(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitPrivate, Title: "private files", Name: "/data/data/org.example.clipshare", Media: "application/x-tar", Blob: prefs, Size: 90})
	stored := judge.Pointer{Event: seq, Surface: "file:shared_prefs/session.xml", Excerpt: `<string name="token">` + token + `</string>`, Phase: "drafted", Consent: evidence.Rejected, Blob: prefs, Role: "stored"}
	g.account = append(g.account, stored)
	g.find(judge.Finding{
		Claim: judge.CredentialsKept, Title: "The user's token lies in the app's private files", Subject: "clipshare", Value: token,
		Grounds: "The value that the service issued is in a file of the app.", Proof: []judge.Pointer{stored},
	})
}

func (g *guilty) judgement() {
	bugly := judge.Finding{Claim: judge.IdentifierSent, Level: 1, Host: "android.bugly.qq.com", Owner: "Tencent", Country: "CN", Grounds: "The planted value stands in the request as it was planted."}
	umeng, ad := bugly, bugly
	umeng.Host, umeng.Owner = "ulogs.umeng.com", "Alibaba"
	ad.Host, ad.Owner, ad.Country = "sync.adreach.example", "AdReach Inc", "US"
	id := func(f judge.Finding, kind canary.Kind, title string, proof ...judge.Pointer) string {
		f.Subject, f.Value, f.Title, f.Proof = string(kind), Person.Value(kind), title, proof
		return g.find(f)
	}
	own := bugly
	own.Host, own.Owner, own.Country = "log.clipshare.example", "ClipShare Ltd", "SG"
	sent := []string{
		id(own, canary.SSAID, "The Android ID went to log.clipshare.example", g.place...),
		id(bugly, canary.SSAID, "The Android ID went to android.bugly.qq.com", g.bugly...),
		id(umeng, canary.AdvertisingID, "The advertising ID went to ulogs.umeng.com", g.umeng...),
		id(ad, canary.Email, "The SHA-256 of the e-mail address went to sync.adreach.example", g.ad[0], g.ad[3], g.ad[6]),
		id(ad, canary.Location, "The location went to sync.adreach.example", g.ad[1], g.ad[4], g.ad[7]),
		id(ad, canary.AdvertisingID, "The advertising ID went to sync.adreach.example", g.ad[2], g.ad[5], g.ad[8]),
	}
	own.Host, own.Title, own.Claim, own.Unseen = "api.clipshare.example", "api.clipshare.example knows the phone number, and was not seen being sent it", judge.IdentifierReturned, true
	own.Grounds = "what was planted as the phone number stands in the response, in the clear, and in nothing that was read before: so it was sent in a way that could not be read (or by an earlier audit with the same seed)"
	own.Confidence, own.Reason = g.known[0].Confidence, g.known[0].Reason
	sent = append(sent, id(own, canary.Phone, own.Title, g.known...))
	own.Title, own.Unseen, own.Possible, own.Level = "api.clipshare.example may have answered with the Android ID", false, true, 0
	own.Grounds, own.Confidence, own.Reason = "what stands in the response may be what was planted as the Android ID", g.maybe[0].Confidence, g.maybe[0].Reason
	id(own, canary.SSAID, own.Title, g.maybe...)
	account := g.find(judge.Finding{
		Claim: judge.AccountCreated, Level: 3, Title: "api.clipshare.example created a user, and the app acted as that user", Subject: "clipshare-guest", Value: token,
		Host: "api.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Proof: g.account, Signature: "guest-user",
		Grounds: "The service issued a token of 38 characters that no earlier message held, and the app sent it back as its credential.",
	})
	draft := g.find(judge.Finding{Claim: judge.DraftUploaded, Title: "A recording that was discarded was uploaded in pieces", Subject: "draft-0001.mp4", Host: "upload.clipshare.example",
		Owner: "ClipShare Ltd", Country: "SG", Proof: g.draft, Grounds: "9,900 bytes of the recording stand in the request body."})
	face := g.find(judge.Finding{Claim: judge.FeatureVectorSent, Title: "Landmarks of a face went with the draft", Subject: "landmarks", Host: "upload.clipshare.example",
		Owner: "ClipShare Ltd", Country: "SG", Proof: g.face, Grounds: "A list of coordinates stands beside the recording under a name that says so."})
	left := ""
	for _, f := range g.j.Findings {
		if f.Claim == judge.DeviceAccountAdded {
			left = f.ID
		}
	}
	g.j.Verdict, g.j.Ladder = judge.Violated, 3
	g.j.Questions = []judge.Question{
		{ID: judge.QuestionAccount, Title: "creates no account without sign-up", Verdict: judge.Violated, Because: "A user was created and used before any choice was made.", Findings: []string{account}},
		{ID: judge.QuestionIdentifier, Title: "sends no identifier without sign-up", Verdict: judge.Violated, Because: "Four kinds of identifiers went to four companies.", Findings: sent},
		{ID: judge.QuestionBeforeConsent, Title: "sends no identifier before a choice", Verdict: judge.Violated, Because: "They went while the consent dialog stood on the screen, untouched.", Findings: sent[:6]},
		{ID: judge.QuestionAfterReject, Title: "sends no identifier after rejection", Verdict: judge.Violated, Because: "They went again after the rejection.", Findings: sent[1:6]},
		{ID: judge.QuestionDraft, Title: "uploads no draft", Verdict: judge.Violated, Because: "The discarded recording was uploaded.", Findings: []string{draft, face}},
		{ID: judge.QuestionDeviceAccount, Title: "leaves no account on the device", Verdict: judge.Violated, Because: "An account stands in the device's settings.", Findings: []string{left}},
	}
	g.holdings(sent)
	g.j.BlindSpots = []judge.BlindSpot{{What: "1 connection to pinned.clipshare.example could not be read: the app refused the proxy's certificate.", Do: "Audit the app again with a bypass of its certificate pinning.", Hides: []string{judge.QuestionIdentifier, judge.QuestionAfterReject}}}
	g.j.Coverage = judge.Coverage{
		Flows: g.flows, Messages: 1, Opaque: 2, Sent: 14_210, Received: 2_950, OpaqueSent: 517 + 3_904, KernelSent: 24_904, KernelRecv: 18_000,
		Clear: 18_480, Unread: 4_821, Missing: 310, PerMille: 782, Counted: true, Basis: judge.OnTheWire, Overhead: 1_293, Wanted: 800,
	}
	g.j.Opaque = []judge.OpaqueDestination{
		{Host: "pinned.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Consent: evidence.Untouched, Bytes: 4_421, Connections: 2, Why: []string{"the app refused our certificate, as one that pins its own does"}, Event: 1},
		{Host: "log.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Consent: evidence.Rejected, Bytes: 400, Requests: 1, Why: []string{"looks encrypted, and no decoding explains it"}, Event: 2},
	}
	g.j.Names = []judge.Name{
		{Name: "api.clipshare.example", Owner: "ClipShare Ltd", Times: 2, Types: []string{"A", "AAAA"}, Via: []string{"udp"}, Read: true, Event: 3},
		{Name: "beacon.adreach.example", Owner: "AdReach Inc", Times: 1, Types: []string{"A"}, Via: []string{"doh"}, Error: "NXDOMAIN", Event: 4},
	}
	g.j.Decoys = judge.DecoyResult{Decoys: len(Decoys.Canaries)}
	g.j.Recipients = []judge.Recipient{
		{Host: "android.bugly.qq.com", Owner: "Tencent", Country: "CN", Purpose: "crash reports", Flows: 2, Sent: 1_204, Kinds: []string{"ssaid"}},
		{Host: "api.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Purpose: "the app's own service", Flows: 2, Sent: 820},
		{Host: "cdn.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Purpose: "pictures", Flows: 6, Sent: 2_100},
		{Host: "log.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Purpose: "the app's own service", Flows: 1, Sent: 410, Kinds: []string{"ssaid"}},
		{Host: "sync.adreach.example", Owner: "AdReach Inc", Country: "US", Purpose: "advertising", Flows: 2, Sent: 690, Kinds: []string{"email", "location", "advertising_id"}},
		{Host: "ulogs.umeng.com", Owner: "Alibaba", Country: "CN", Purpose: "analytics", Flows: 2, Sent: 1_020, Kinds: []string{"advertising_id"}},
		{Host: "upload.clipshare.example", Owner: "ClipShare Ltd", Country: "SG", Purpose: "the app's own service", Flows: 1, Sent: 10_300},
	}
}

// holdings are what each company has, and two links between them.
func (g *guilty) holdings(sent []string) {
	holds := func(kind canary.Kind, finding string) judge.Holding {
		return judge.Holding{What: judge.HeldIdentifier, Kind: string(kind), Value: Person.Value(kind), Event: 20, Phases: []string{"untouched"},
			Consents: []evidence.Consent{evidence.Untouched, evidence.Choosing, evidence.Rejected}, Findings: []string{finding}}
	}
	issued := func(kind, service, value string) judge.Holding {
		return judge.Holding{What: judge.HeldIssued, Kind: kind, Value: value, Service: service, Event: 24, Phases: []string{"untouched"}, Consents: []evidence.Consent{evidence.Untouched}}
	}
	ssaid, adid := string(canary.SSAID), string(canary.AdvertisingID)
	g.j.Dossier = &judge.Holdings{
		Companies: []judge.Company{
			{Name: "AdReach Inc", Known: true, Country: "US", Hosts: []string{"sync.adreach.example"}, Holds: []judge.Holding{holds(canary.AdvertisingID, sent[5]), holds(canary.Email, sent[3]), holds(canary.Location, sent[4])}},
			{Name: "Alibaba", Known: true, Country: "CN", Hosts: []string{"ulogs.umeng.com"}, Holds: []judge.Holding{holds(canary.AdvertisingID, sent[2])}},
			{Name: "ClipShare Ltd", Known: true, Country: "SG", Hosts: []string{"api.clipshare.example", "log.clipshare.example"}, Holds: []judge.Holding{
				holds(canary.SSAID, sent[0]), holds(canary.Phone, sent[6]), issued(judge.IssuedInstallation, "installation", "7316604411870923"), issued(judge.IssuedPrincipal, "clipshare-guest", token)}},
			{Name: "Tencent", Known: true, Country: "CN", Hosts: []string{"android.bugly.qq.com"}, Holds: []judge.Holding{holds(canary.SSAID, sent[1])}},
		},
		Links: []judge.Link{
			{What: judge.HeldIdentifier, Kind: adid, Value: Person.Value(canary.AdvertisingID), Companies: []string{"AdReach Inc", "Alibaba"}},
			{What: judge.HeldIdentifier, Kind: ssaid, Value: Person.Value(canary.SSAID), Companies: []string{"ClipShare Ltd", "Tencent"}},
		},
	}
}

func headers(media string) []flow.Header {
	h := []flow.Header{{Name: "User-Agent", Value: "Mozilla/5.0 (Linux; Android 14; virtual) ClipShare/2.4.1"}, {Name: "Accept", Value: "*/*"}, {Name: "Accept-Language", Value: "en-US"}}
	if media != "" {
		h = append(h, flow.Header{Name: "Content-Type", Value: media})
	}
	return h
}

func squeeze(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		panic(err) // writing to memory can't fail
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
