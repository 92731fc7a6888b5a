package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// launched begins an arm with a fresh installation of the app.
func (r *recording) launched(arm string) {
	r.in(arm, "install", "install", evidence.Untouched)
	r.act("install", true, "")
	r.event(evidence.KindAccounts, evidence.Accounts{})
	r.in(arm, "untouched", "launch", evidence.Untouched)
	r.act("launch", true, "")
}

// removed ends an arm.
func (r *recording) removed() {
	r.leave(true, "")
	r.act("uninstall", true, "")
}

const start = "https://api.clipshare.example/v1/users/anonymous"

// begins asks for an account as the app does when it starts, and uses it.
func (r *recording) begins(id, token string) {
	r.ask(message{url: start, headers: jsonType, body: asJSON(map[string]any{"device_uid": r.person.Value(canary.SSAID)})},
		map[string]any{"user": map[string]any{"id": id, "is_anonymous": true}, "access_token": token})
	r.ask(message{method: "GET", url: "https://api.clipshare.example/v1/feed", headers: bearer(token)}, map[string]any{"items": []any{}})
}

// The service knows the device again: it is the same account, in every repeat, and
// no guest session.
func TestAccountThatComesBack(t *testing.T) {
	for name, secret := range map[string]func(i int) string{
		"with a new token":  func(i int) string { return fmt.Sprint(token, i) },
		"with the same one": func(int) string { return token },
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			r.event(evidence.KindApp, r.app)
			r.in("rejected", "baseline", "baseline", evidence.Untouched)
			for i, arm := range []string{"rejected", "accepted", "rejected#2", "accepted#2"} {
				r.launched(arm)
				r.begins(userID, secret(i))
				r.in(arm, "restarted", "relaunch", evidence.Untouched)
				r.begins(userID, secret(i)+"x")
				r.removed()
			}
			j := r.judge()
			f := j.claims(AccountCreated)
			if len(f) != 1 || f[0].Seen != (Repeats{Times: 2, Of: 2}) || f[0].Level != 3 || j.Ladder != 3 {
				j.dump(t)
				t.Fatalf("%d accounts: %+v", len(f), f)
			}
			if n := strings.Count(f[0].Grounds, "came back after a reinstall"); n != 1 {
				t.Errorf("grounds: %s", f[0].Grounds)
			}
			if s := j.claims(SessionIssued); len(s) != 0 {
				t.Errorf("the account is a session too: %s", s[0].Title)
			}
		})
	}
}

// It came back even where the app did not go on to use it, and is no open question then.
func TestAccountThatComesBackUnused(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		answer map[string]any
		token  string
	}{
		"of an unknown service": {start, map[string]any{"user": map[string]any{"id": userID}}, "access_token"},
		"of a known one": {"https://identitytoolkit.googleapis.com/v1/accounts:signUp?key=k",
			map[string]any{"localId": "Zk3vQ9xWs1LmT7bRyUe2HcJ0oNa4", "refreshToken": "r" + token}, "idToken"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			r.event(evidence.KindApp, r.app)
			for i, arm := range []string{"A", "A#2"} {
				r.launched(arm)
				c.answer[c.token] = fmt.Sprint(token, i)
				r.ask(message{url: c.url, headers: jsonType, body: asJSON(map[string]any{"returnSecureToken": true})}, c.answer)
				if i == 0 {
					r.ask(message{method: "GET", url: "https://api.clipshare.example/v1/feed", headers: bearer(fmt.Sprint(token, i))}, map[string]any{})
				}
				r.removed()
			}
			j := r.judge()
			f := j.claims(AccountCreated)
			if len(f) != 1 || f[0].Seen != (Repeats{Times: 2, Of: 2}) || strings.Count(f[0].Grounds, "came back") != 1 || len(j.claims(SessionIssued)) != 0 {
				j.dump(t)
				t.Errorf("%+v", f)
			}
			for _, s := range j.BlindSpots {
				if strings.Contains(s.What, "answered a request for an account") {
					t.Errorf("%s", s.What)
				}
			}
		})
	}
}

// An id that the app itself brought over the reinstall is no new account.
func TestAccountThatTheAppKept(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	r.launched("A")
	r.begins(userID, token)
	r.removed()
	r.launched("A#2")
	r.ask(message{method: "GET", url: "https://api.clipshare.example/v1/hello?was=" + userID}, map[string]any{})
	r.begins(userID, token+"x")
	j := r.judge()
	f := j.claims(AccountCreated)
	if len(f) != 1 || f[0].Seen != (Repeats{Times: 1, Of: 2}) || strings.Contains(f[0].Grounds, "reinstall") || len(j.claims(SessionIssued)) != 0 {
		j.dump(t)
		t.Errorf("%+v", f)
	}
}

// What a person signed up for is theirs when the service knows the device again.
func TestSignedUpAccountComesBack(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	r.launched("A")
	r.leave(true, "")
	r.log.Position("A", "signed-up", evidence.Accepted)
	r.phase = evidence.Phase{Name: "signed-up", Purpose: "signup", Consent: evidence.Accepted, Signup: true}
	r.event(evidence.KindPhaseStart, r.phase)
	r.begins(userID, token)
	r.removed()
	r.launched("A#2")
	r.begins(userID, token+"x")
	if j := r.judge(); j.verdict(QuestionAccount) == Violated || j.Ladder > 1 {
		j.dump(t)
		t.Errorf("%s, ladder %d", j.verdict(QuestionAccount), j.Ladder)
	}
}

// What was created unasked is not called what a person signed up for, whichever came first.
func TestTitleOfAnUnaskedAccount(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	r.launched("signed-up")
	r.leave(true, "")
	r.log.Position("signed-up", "signup", evidence.Accepted)
	r.phase = evidence.Phase{Name: "signup", Purpose: "signup", Consent: evidence.Accepted, Signup: true}
	r.event(evidence.KindPhaseStart, r.phase)
	r.begins(userID, token)
	r.removed()
	r.launched("rejected")
	r.begins("7412093846120399999", token+"x")
	f := r.judge().claims(AccountCreated)
	if len(f) != 1 || f[0].Signup || !strings.Contains(f[0].Title, "without a sign-up") {
		t.Errorf("%+v", f)
	}
}

// Repeats are counted out of those in which the phase ran, whichever arm it was in.
func TestRepeatsOfAPhase(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	leak := message{url: "https://ads.example/", headers: jsonType, body: asJSON(map[string]any{"id": r.person.Value(canary.SSAID)})}
	for i, arm := range []string{"rejected", "accepted", "rejected#2", "accepted#2", "rejected#3"} {
		r.launched(arm)
		r.ask(leak, map[string]any{})
		if i != 2 {
			r.in(arm, "drafted", "draft", evidence.Untouched)
			r.ask(message{url: "https://late.example/", headers: jsonType, body: leak.body}, map[string]any{})
		}
		if i == 4 {
			r.leave(false, "no button that records was found")
		}
		r.removed()
	}
	for _, f := range r.judge().claims(IdentifierSent) {
		if f.Seen != (Repeats{Times: 3, Of: 3}) {
			t.Errorf("%s: %+v", f.Host, f.Seen)
		}
	}

	// In the second repeat the phase was not reached, and in the third it saw nothing.
	r = record(t)
	r.event(evidence.KindApp, r.app)
	for i, arm := range []string{"A", "A#2", "A#3"} {
		r.launched(arm)
		if i != 1 {
			r.in(arm, "drafted", "draft", evidence.Untouched)
		}
		if i == 0 {
			r.ask(leak, map[string]any{})
		}
		r.removed()
	}
	if f := r.judge().claims(IdentifierSent); len(f) != 1 || f[0].Seen != (Repeats{Times: 1, Of: 2}) {
		t.Errorf("%+v", f)
	}
}

// What the app asked for before it was removed may be answered after.
func TestLateAnswer(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.event(evidence.KindAccounts, evidence.Accounts{})
	r.launched("A")
	r.begins(userID, token)
	again := r.request(message{method: "GET", url: "https://api.clipshare.example/v1/me", headers: bearer(token)})
	began := r.clock
	r.removed()
	r.response(again, message{headers: jsonType, body: asJSON(map[string]any{"user": map[string]any{"id": userID}, "access_token": token})})
	// A request that was on its way, too: it stands where its last byte came.
	r.event(evidence.KindRequest, flow.Request{
		Flow: "late", Started: began, Method: "POST", URL: "https://ads.example/?id=" + r.person.Value(canary.SSAID), Proto: "HTTP/1.1",
	})
	j := r.judge()
	if f := j.claims(AccountCreated); len(f) != 1 || j.Ladder != 3 {
		j.dump(t)
		t.Errorf("a late answer erased the account")
	}
	var late bool
	for _, f := range j.claims(IdentifierSent) {
		late = late || f.Host == "ads.example"
	}
	if !late || j.verdict(QuestionIdentifier) != Violated {
		t.Errorf("a late request is not the app's: %s", j.verdict(QuestionIdentifier))
	}
	for _, s := range j.BlindSpots {
		if strings.Contains(s.What, "app was there") || strings.Contains(s.What, "app was not there") {
			t.Errorf("%s", s.What)
		}
	}
}

// What begins once the app is gone is not the app's, though it has the stamp of the
// last phase.
func TestAfterTheAppIsGone(t *testing.T) {
	r := record(t)
	r.event(evidence.KindApp, r.app)
	r.launched("A")
	r.quiet()
	r.removed()
	r.clock = r.clock.Add(time.Second)
	r.ask(message{url: "https://system.example/?id=" + r.person.Value(canary.SSAID)}, map[string]any{"user_id": userID})
	if j := r.judge(); len(j.Findings) != 0 {
		j.dump(t)
		t.Error("what the system sends is the app's")
	}
}
