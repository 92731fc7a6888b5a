package judge

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// quiet makes the app fetch something that tells nothing.
func (r *recording) quiet() *recording {
	r.ask(message{method: "GET", url: "https://api.pantry.example/v1/recipes", uid: appUID}, map[string]any{"items": []any{1, 2}, "next_cursor": "eyJzb3J0IjoiZnJlc2giLCJhZnRlciI6IjAxSEtRN1dNM1kifQ"})
	r.ask(message{method: "GET", url: "https://api.pantry.example/v1/recipes?cursor=eyJzb3J0IjoiZnJlc2giLCJhZnRlciI6IjAxSEtRN1dNM1kifQ"}, map[string]any{})
	return r
}

// innocent records an app that asks first.
func innocent(t *testing.T) *recording {
	r := record(t).untouched().quiet()
	r.rejected().quiet()
	r.in("A", "drafted", "draft", evidence.Rejected)
	r.draft(clip(50_000))
	r.quiet()
	r.event(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{{Name: r.person.Value(canary.Email), Type: "com.example"}}})
	return r
}

func verdicts(j *Judgement) string {
	short := map[Verdict]string{Violated: "V", NotObserved: "-", Inconclusive: "?", NotApplicable: "n"}
	var b strings.Builder
	for _, q := range j.Questions {
		b.WriteString(short[q.Verdict])
	}
	return b.String()
}

func TestInnocent(t *testing.T) {
	r := innocent(t)
	// An installation id after Accept and an account after a sign-up are none of the questions' business.
	r.in("A", "accepted", "consent", evidence.Accepted)
	r.ask(message{url: "https://firebaseinstallations.googleapis.com/v1/projects/p/installations", headers: jsonType,
		body: asJSON(map[string]any{"fid": "c0ffeeAbCdEfGhIjKlMnOp", "authVersion": "FIS_v2"})},
		map[string]any{"fid": "c0ffeeAbCdEfGhIjKlMnOp", "refreshToken": "3_Zk3vQ9xWs1LmT7bRyUe2HcJ0", "authToken": map[string]any{"token": "eyJhbGciOiJFUzI1NiJ9.Zk3vQ9xWs1LmT7bR.yUe2HcJ0oNa4PdGf"}})
	r.in("A", "signed-up", "signup", evidence.Accepted)
	r.leave(true, "")
	r.phase = evidence.Phase{Name: "signed-up", Purpose: "signup", Consent: evidence.Accepted, Signup: true}
	r.event(evidence.KindPhaseStart, r.phase)
	r.ask(message{url: "https://api.pantry.example/v1/accounts", headers: jsonType, body: asJSON(map[string]any{"email": r.person.Value(canary.Email), "name": r.person.Value(canary.Name)})},
		map[string]any{"user": map[string]any{"id": userID}, "access_token": token})
	r.ask(message{method: "GET", url: "https://api.pantry.example/v1/me", headers: bearer(token)}, map[string]any{"user": map[string]any{"id": userID}})
	j := r.judge()
	if got := verdicts(j); got != "------" || j.Verdict != NotObserved || j.Ladder != 2 {
		j.dump(t)
		t.Errorf("verdicts %s, overall %s, ladder %d", got, j.Verdict, j.Ladder)
	}
	for _, f := range j.Findings {
		if f.Claim != InstallationIssued && !f.Signup {
			t.Errorf("unexpected: %s", f.Title)
		}
	}
	if f := j.claims(InstallationIssued); len(f) != 1 || f[0].Consent != evidence.Accepted || f[0].Signature != "firebase-installations" {
		t.Errorf("installation: %+v", f)
	}
	if len(j.claims(AccountCreated)) != 1 || len(j.claims(IdentifierSent)) != 2 {
		t.Errorf("what the person did is gone: %+v", j.Findings)
	}
}

// What could not be seen makes a question open where it could hide a violation, and
// only there. The letters are the questions in order.
func TestBlindSpots(t *testing.T) {
	noise := clip(60_000)
	slices.Reverse(noise)
	for name, c := range map[string]struct {
		play func(*recording)
		want string
		says string
	}{
		"nothing":     {func(r *recording) {}, "------", "does not say which app sent"},
		"interrupted": {func(r *recording) { r.end.How = evidence.Interrupted }, "??????", "interrupted"},
		"failed":      {func(r *recording) { r.end = evidence.AuditEnd{How: evidence.Failed, Error: "the device went away"} }, "??????", "the device went away"},
		"pinned after the rejection": {func(r *recording) {
			r.rejected()
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "pinned.example", Port: 443, Reason: flow.Distrusted})
		}, "??-??-", "refused our certificate"},
		"pinned before the choice": {func(r *recording) {
			r.in("A", "again", "launch", evidence.Untouched)
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "pinned.example", SNI: "pinned.example", Reason: flow.Distrusted})
		}, "???-?-", "pinned.example"},
		"pinned by another app": {func(r *recording) {
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "pinned.example", Reason: flow.Distrusted, UID: 1000})
		}, "------", ""},
		"given up, but read otherwise": {func(r *recording) {
			r.over("chromium")
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "10.0.0.1", SNI: "api.pantry.example", Reason: flow.HungUp, Fingerprint: "chromium"})
		}, "------", "given up by the app before anything was sent"},
		"given up, and read otherwise by another TLS client": {func(r *recording) {
			r.rejected()
			r.over("chromium")
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "api.pantry.example", Reason: flow.HungUp, Fingerprint: "sdk"})
		}, "??-??-", "1 connection to api.pantry.example could not be read"},
		"broken, and read otherwise by another TLS client": {func(r *recording) {
			r.rejected()
			r.over("chromium")
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "api.pantry.example", Reason: flow.Broken, Fingerprint: "sdk"})
		}, "??-??-", "it broke off"},
		"given up, and read in another arm": {func(r *recording) {
			r.over("chromium")
			r.in("B", "rejected", "consent", evidence.Rejected)
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "api.pantry.example", Reason: flow.HungUp, Fingerprint: "chromium"})
		}, "??-??-", "could not be read"},
		"given up, without fingerprints": {func(r *recording) {
			r.rejected()
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "api.pantry.example", Reason: flow.HungUp})
		}, "??-??-", "could not be read"},
		"phase of consent not reached": {func(r *recording) {
			r.in("A", "again", "consent", evidence.Untouched)
			r.leave(false, "no consent dialog was recognised")
		}, "??-?--", "no consent dialog was recognised"},
		"phase not ended": {func(r *recording) {
			r.in("A", "again", "launch", evidence.Untouched)
			r.phase = evidence.Phase{}
		}, "??????", "the audit ended in it"},
		"draft not in the evidence": {func(r *recording) { r.in("B", "drafted", "draft", evidence.Rejected) }, "----?-", "is not in the evidence"},
		"said by the audit": {func(r *recording) {
			r.event(evidence.KindBlindSpot, evidence.BlindSpot{What: "It was dark.", Hides: []string{QuestionDraft}})
		}, "----?-", "It was dark"},
		"said by the audit, of all": {func(r *recording) { r.event(evidence.KindBlindSpot, evidence.BlindSpot{What: "It was dark."}) }, "??????", "It was dark"},
		"second launch failed":      {func(r *recording) { r.act("launch", false, "this device can't run native code") }, "??????", "native code"},
		"sealed body": {func(r *recording) {
			r.rejected()
			r.ask(message{url: "https://x.example/", body: noise[:5000]}, nil)
		}, "??-??-", "look encrypted"},
		"sealed by its own word": {func(r *recording) {
			r.rejected()
			r.ask(message{url: "https://log.snssdk.com/service/2/device_register/?tt_data=a", body: []byte("short")}, nil)
		}, "??-??-", "look encrypted"},
		"body cut": {func(r *recording) {
			r.event(evidence.KindRequest, flow.Request{Flow: "c1", Method: "POST", URL: "https://x.example/", Body: flow.Body{Size: 10, Cut: "the disk was full"}})
		}, "??-??-", "the disk was full"},
		"bytes past the proxy": {func(r *recording) {
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1000})
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 9_000_000})
		}, "?????-", "past the proxy"},
		"94 kB past the proxy": {func(r *recording) {
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1000})
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 95_000})
		}, "?????-", "past the proxy"},
		"past the proxy, after it was installed anew": {func(r *recording) {
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1000})
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID + 1, Sent: 95_000})
		}, "?????-", "past the proxy"},
		"counted, and less than was seen": {func(r *recording) {
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1000})
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1100})
		}, "------", "The kernel counted 100 bytes"},
		"nothing counted": {func(r *recording) {}, "------", "count of the app's bytes is not in the evidence"},
		"private files that break off": {func(r *recording) {
			blob := r.blob([]byte(strings.Repeat("no archive ", 100)))
			r.event(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitPrivate, Media: "application/x-tar", Blob: blob, Size: 1100})
		}, "-----?", "could not be read to their end"},
		"ordinary overhead": {func(r *recording) {
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 1000})
			r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 15_000})
		}, "------", "The kernel counted 14000 bytes"},
		"SSAID not planted": {func(r *recording) {
			r.person.Canaries = slices.DeleteFunc(r.person.Canaries, func(c canary.Canary) bool { return c.Kind == canary.SSAID })
			r.event(evidence.KindPlanting, evidence.Planting{Kind: "ssaid2", Value: "x", Error: "refused"})
		}, "------", "would not take our ssaid2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			c.play(r)
			j := r.judge()
			if got := verdicts(j); got != c.want {
				j.dump(t)
				t.Errorf("verdicts %s, want %s", got, c.want)
			}
			if c.says != "" && !slices.ContainsFunc(j.BlindSpots, func(b BlindSpot) bool { return strings.Contains(b.What, c.says) }) {
				t.Errorf("no blind spot says %q: %+v", c.says, j.BlindSpots)
			}
			for _, q := range j.Questions {
				if q.Because == "" || q.Title == "" {
					t.Errorf("%s gives no reason", q.ID)
				}
			}
		})
	}
}

func TestNotRun(t *testing.T) {
	// An app that the device can't run: nothing is known, and nothing is not observed.
	r := record(t)
	r.app.Permissions = []string{"android.permission.INTERNET"}
	r.event(evidence.KindApp, r.app)
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.in("A", "install", "install", evidence.Untouched)
	r.act("install", true, "")
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.act("launch", false, "this device runs web apps only")
	r.leave(false, "the app was not started")
	r.in("A", "rejected", "consent", evidence.Untouched)
	r.leave(false, "the app is not running")
	r.in("A", "drafted", "draft", evidence.Untouched)
	r.leave(false, "the app is not running")
	j := r.judge()
	if got := verdicts(j); got != "????n?" || j.Verdict != Inconclusive || j.Ladder != 0 {
		j.dump(t)
		t.Errorf("verdicts %s, overall %s", got, j.Verdict)
	}
	// The same with a camera: whether it records could not be seen.
	r = record(t)
	r.event(evidence.KindApp, r.app)
	r.in("A", "install", "install", evidence.Untouched)
	r.act("install", false, "INSTALL_FAILED_NO_MATCHING_ABIS")
	r.in("A", "drafted", "draft", evidence.Untouched)
	r.leave(false, "the app is not running")
	if got := verdicts(r.judge()); got != "??????" && got != "???n??" {
		t.Errorf("verdicts %s", got)
	}
}

func TestNoTraffic(t *testing.T) {
	r := record(t).untouched()
	r.rejected()
	if got := verdicts(r.judge()); got != "????n-" {
		t.Errorf("an app without traffic: %s", got)
	}
	r = record(t)
	r.app.Permissions = nil // it may not use the network at all
	r.untouched()
	r.rejected()
	if got := verdicts(r.judge()); got != "----n-" {
		t.Errorf("an app that may not use the network: %s", got)
	}
}

func TestBaselineIsNotTheApps(t *testing.T) {
	r := record(t)
	leak := message{url: "https://system.example/", headers: jsonType, body: asJSON(map[string]any{"id": r.person.Value(canary.AdvertisingID)})}
	r.event(evidence.KindApp, r.app)
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.ask(leak, map[string]any{})
	r.in("A", "install", "install", evidence.Untouched)
	r.act("install", true, "")
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.act("launch", true, "")
	r.event(evidence.KindAccounts, evidence.Accounts{})
	r.quiet()
	foreign := leak
	foreign.url, foreign.uid = "https://play.example/", 10007
	r.ask(foreign, map[string]any{})                                                                           // Play services, by its uid
	r.ask(message{method: "GET", url: "https://connectivitycheck.gstatic.com/generate_204"}, map[string]any{}) // the system's check
	ev := r.seal()
	if j := judged(t, ev); len(j.Findings) != 0 || j.Coverage.Flows != 2 || len(j.Recipients) != 1 {
		j.dump(t)
		t.Errorf("the system's traffic is the app's")
	}

	// Where the system sends the same to the same host, nobody can tell.
	r = record(t)
	r.event(evidence.KindApp, r.app)
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.event(evidence.KindAccounts, evidence.Accounts{})
	r.ask(leak, map[string]any{})
	r.in("A", "install", "install", evidence.Untouched)
	r.act("install", true, "")
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.act("launch", true, "")
	r.event(evidence.KindAccounts, evidence.Accounts{})
	r.ask(leak, map[string]any{})
	if j := r.judge(); verdicts(j) != "-??nn-" || len(j.claims(IdentifierSent)) != 0 {
		j.dump(t)
		t.Errorf("verdicts %s", verdicts(j))
	}
}

func TestDecoysAreNotTrusted(t *testing.T) {
	r := guilty(t)
	r.ask(message{method: "GET", url: "https://x.example/?q=" + r.decoys.Value(canary.SSAID)}, map[string]any{})
	j := r.judge()
	if len(j.Decoys.Matches) == 0 || verdicts(j) != "V???VV" || j.Verdict != Violated {
		t.Errorf("verdicts %s, matches %+v", verdicts(j), j.Decoys.Matches)
	}
}

func TestRepeats(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	leak := message{url: "https://ads.example/", headers: jsonType, body: asJSON(map[string]any{"id": r.person.Value(canary.SSAID)})}
	for i, arm := range []string{"rejected", "accepted", "rejected#2", "accepted#2", "rejected#3", "accepted#3"} {
		r.in(arm, "install", "install", evidence.Untouched)
		r.act("install", true, "")
		r.in(arm, "untouched", "launch", evidence.Untouched)
		r.act("launch", true, "")
		if i == 0 || i == 4 {
			r.ask(leak, map[string]any{})
		}
		r.leave(true, "")
		r.act("uninstall", true, "")
	}
	f := r.judge().claims(IdentifierSent)
	if len(f) != 1 || f[0].Seen != (Repeats{Times: 2, Of: 3}) {
		t.Errorf("%+v", f)
	}
}

// Two audits of the same app can be compared by the findings' ids, whatever the
// identity, the minted values and the order of the log.
func TestIDsAreStable(t *testing.T) {
	ids := func(seed string, noise int) (list []string) {
		r := record(t)
		r.person, r.decoys = canary.Derive([]byte(seed), "X"), canary.Decoys([]byte(seed), "X")
		r.untouched()
		for range noise {
			r.quiet()
		}
		id := "7412093846" + strings.Repeat("8", 6) + seed[:3]
		r.ask(message{url: "https://api.thing.example/v1/start", headers: jsonType, body: asJSON(map[string]any{"ids": append(make([]string, noise), r.person.Value(canary.SSAID))})},
			map[string]any{"user_id": id, "access_token": token + seed})
		r.ask(message{method: "GET", url: "https://api.thing.example/v1/feed", headers: bearer(token + seed)}, map[string]any{})
		for _, f := range r.judge().Findings {
			list = append(list, f.ID)
		}
		return list
	}
	a, b := ids("111aXq", 0), ids("222bYr", 3)
	if len(a) != 2 || !slices.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
}

// An app that was on the device all along still has a baseline, if the phase says so.
func TestBaselineWithoutInstallation(t *testing.T) {
	r := record(t)
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.ask(message{url: "https://system.example/", body: []byte(r.person.Value(canary.SSAID))}, map[string]any{})
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.quiet()
	if j := r.judge(); len(j.Findings) != 0 || j.Coverage.Flows != 2 {
		j.dump(t)
		t.Error("the baseline's traffic is the app's")
	}
}

func TestPiecesOfADraft(t *testing.T) {
	film := clip(100_000)
	for name, c := range map[string]struct {
		sent []byte
		want int
	}{
		"a small piece":         {film[40_000:42_000], 1},
		"a block, by chance":    {film[256*7 : 256*8], 0},
		"before it was made":    {nil, 0},
		"a form with a picture": {append([]byte("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.mp4\"\r\n\r\n"), append(film[1:9000:9000], "\r\n--x--\r\n"...)...), 1},
	} {
		r := record(t).untouched().quiet()
		if c.sent == nil {
			r.ask(message{url: "https://up.example/", body: film}, nil)
		}
		r.in("A", "drafted", "draft", evidence.Untouched)
		r.draft(film)
		if c.sent != nil {
			r.ask(message{url: "https://up.example/", body: c.sent}, nil)
		}
		if f := r.judge().claims(DraftUploaded); len(f) != c.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestDeviceAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		accounts evidence.Accounts
		want     int
		says     string
	}{
		"added":             {evidence.Accounts{Accounts: []evidence.Account{{Name: "clipper", Type: "org.thing"}}, History: []evidence.AccountAction{{Action: "action_account_add", At: "12:00", UID: appUID}}}, 1, "uid 10123"},
		"added and removed": {evidence.Accounts{History: []evidence.AccountAction{{Action: "action_account_add", At: "12:00", UID: appUID}, {Action: "action_account_remove", At: "12:01", UID: appUID}}}, 1, "keeps the row"},
		"asked":             {evidence.Accounts{History: []evidence.AccountAction{{Action: "action_called_account_add", At: "12:00", UID: appUID}}}, 1, ""},
		"by another app":    {evidence.Accounts{History: []evidence.AccountAction{{Action: "action_account_add", At: "12:00", UID: 10007}}}, 0, ""},
		"nothing":           {evidence.Accounts{}, 0, ""},
	} {
		r := record(t)
		r.in("A", "before", "baseline", evidence.Untouched)
		old := evidence.Account{Name: "somebody", Type: "com.vendor"}
		r.event(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{old}})
		r.in("A", "install", "install", evidence.Untouched)
		r.act("install", true, "")
		// Ours may come after the baseline: what counts is what is there before the app runs.
		planted := evidence.Account{Name: r.person.Value(canary.Email), Type: "com.example"}
		r.event(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{old, planted}})
		r.in("A", "untouched", "launch", evidence.Untouched)
		r.act("launch", true, "")
		r.event(evidence.KindApp, r.app)
		c.accounts.Accounts = append(c.accounts.Accounts, old, planted)
		r.event(evidence.KindAccounts, c.accounts)
		j := r.judge()
		f := j.claims(DeviceAccountAdded)
		if len(f) != c.want || (j.verdict(QuestionDeviceAccount) == Violated) != (c.want > 0) {
			t.Errorf("%s: %+v", name, f)
		}
		if len(f) == 1 && !strings.Contains(f[0].Grounds, c.says) {
			t.Errorf("%s: grounds %q", name, f[0].Grounds)
		}
	}
}

func TestAnAccountThatWasNotUsed(t *testing.T) {
	r := innocent(t)
	r.ask(message{url: "https://identitytoolkit.googleapis.com/v1/accounts:signUp?key=k", headers: jsonType, body: asJSON(map[string]any{"returnSecureToken": true})},
		map[string]any{"localId": "Zk3vQ9xWs1LmT7bRyUe2HcJ0oNa4", "idToken": token, "refreshToken": "r" + token})
	j := r.judge()
	if len(j.claims(AccountCreated)) != 0 || j.verdict(QuestionAccount) != Inconclusive || j.Ladder != 0 {
		j.dump(t)
		t.Error("an account that was issued and not used is one, or none")
	}
}

func TestExcerpts(t *testing.T) {
	hostile := []byte("a\x1b[31mb\u202ec\x00d\r\n" + strings.Repeat("日本語", 200))
	e := excerpt(hostile)
	if len(e) > longestExcerpt || !utf8.ValidString(e) || strings.ContainsAny(e, "\x1b\x00\r\n\u202e") || !strings.HasSuffix(e, "…") {
		t.Errorf("%d bytes: %q", len(e), e)
	}
	r := record(t).untouched()
	r.ask(message{url: "https://x.example/", body: []byte("\u202e\x1b[2J" + r.person.Value(canary.SSAID) + strings.Repeat("\u200f", 300))}, map[string]any{})
	for _, f := range r.judge().Findings {
		for _, p := range f.Proof {
			if len(p.Excerpt) > longestExcerpt || strings.ContainsAny(p.Excerpt, "\u202e\x1b\u200f") {
				t.Errorf("%q", p.Excerpt)
			}
		}
	}
}

func TestImportedTraffic(t *testing.T) {
	// Requests alone, as somebody else recorded them: no phases, no device, no app.
	r := record(t)
	r.app = evidence.App{}
	r.ask(message{url: "https://ads.example/", headers: formType, body: form("id", r.person.Value(canary.AdvertisingID))}, map[string]any{})
	j := r.judge()
	if got := verdicts(j); got != "-Vnnnn" {
		j.dump(t)
		t.Errorf("verdicts %s", got)
	}
}
