package judge

import (
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// dumpsys is the part of dumpsys account that says who serves which type.
const dumpsys = `  RegisteredServicesCache: 2 services
    ServiceInfo: AuthenticatorDescription {type=com.vendor}, ComponentInfo{com.vendor.mail/.Auth}, uid 10007
    ServiceInfo: AuthenticatorDescription {type=org.thing}, ComponentInfo{org.example.thing/.Auth}, uid 10123
`

func TestWhoseAnAccountIs(t *testing.T) {
	type account = evidence.Account
	type action = evidence.AccountAction
	person := canary.Derive([]byte("a seed"), "X")
	email := person.Value(canary.Email)
	planted := account{Name: email, Type: "com.vendor"}
	row := func(uid int) action { return action{Action: "action_account_add", At: "12:00", UID: uid} }
	removal := action{Action: "action_account_remove", At: "12:01", UID: appUID}
	for name, c := range map[string]struct {
		before, now *evidence.Accounts // nil: not read
		raw         string
		want        Verdict
		says        string // in the title
	}{
		"ours": {&evidence.Accounts{Accounts: []account{planted}}, &evidence.Accounts{Accounts: []account{planted}}, dumpsys, NotObserved, ""},
		"named like ours, of the app's type": {
			&evidence.Accounts{Accounts: []account{planted}},
			&evidence.Accounts{Accounts: []account{planted, {Name: email, Type: "org.thing"}}, History: []action{row(appUID)}}, "",
			Violated, "added an account of type org.thing to the device"},
		"named like ours, where none was planted": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{planted}, History: []action{row(appUID)}}, "",
			Violated, "added an account of type com.vendor to the device"},
		"another uid's": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}}, History: []action{row(10007)}}, "",
			NotObserved, ""},
		"another app's type": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.vendor"}}}, dumpsys,
			NotObserved, ""},
		"the app's type, added by another uid": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "org.thing"}}, History: []action{row(1000)}}, dumpsys,
			NotObserved, ""},
		"the app's type": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "org.thing"}}}, dumpsys,
			Violated, "type org.thing"},
		"nobody's": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}}}, dumpsys,
			Inconclusive, ""},
		"one of two": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}, {Name: "y", Type: "com.newer"}}, History: []action{row(10007), row(appUID)}}, dumpsys,
			Violated, "The app added an account to the device"},
		"two, and one row of the app": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}, {Name: "y", Type: "com.newer"}}, History: []action{row(appUID)}}, dumpsys,
			Violated, "The app added an account to the device"},
		"two, of which one has the app's type": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.vendor"}, {Name: "y", Type: "org.thing"}}, History: []action{row(appUID)}}, dumpsys,
			Violated, "type org.thing"},
		"two, and one row of another": {
			&evidence.Accounts{}, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}, {Name: "y", Type: "com.newer"}}, History: []action{row(10007)}}, dumpsys,
			Inconclusive, ""},
		"not read before, and nothing there": {nil, &evidence.Accounts{}, dumpsys, Inconclusive, ""},
		"not read before":                    {nil, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}}}, dumpsys, Inconclusive, ""},
		"not read before, but a row": {
			nil, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "com.new"}}, History: []action{row(appUID)}}, "",
			Violated, "The app added an account to the device"},
		"not read before, but the app's type": {
			nil, &evidence.Accounts{Accounts: []account{{Name: "x", Type: "org.thing"}}}, dumpsys,
			Violated, "type org.thing"},
		"added and removed": {
			&evidence.Accounts{Accounts: []account{planted}}, &evidence.Accounts{Accounts: []account{planted}, History: []action{row(appUID), removal}}, "",
			Violated, "took it away again"},
		"ours replaced by the app's": {
			&evidence.Accounts{Accounts: []account{planted}}, &evidence.Accounts{Accounts: []account{planted}, History: []action{removal, row(appUID)}}, "",
			Violated, "The app added an account to the device"},
		"asked for": {
			&evidence.Accounts{}, &evidence.Accounts{History: []action{{Action: "action_called_account_add", At: "12:00", UID: appUID}}}, "",
			Violated, "asked the device"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			r.event(evidence.KindApp, r.app)
			r.in("A", "install", "install", evidence.Untouched)
			r.act("install", true, "")
			if c.before != nil {
				r.event(evidence.KindAccounts, *c.before) // the app is there and was never started
			}
			r.in("A", "untouched", "launch", evidence.Untouched)
			r.act("launch", true, "")
			r.quiet()
			r.private(map[string]string{"shared_prefs/choice.xml": "<map></map>"})
			for range 2 { // what is said of it the first time holds the second time
				if c.raw != "" {
					c.now.Raw = r.blob([]byte(c.raw))
				}
				r.event(evidence.KindAccounts, *c.now)
			}
			j := r.judge()
			f := j.claims(DeviceAccountAdded)
			if j.verdict(QuestionDeviceAccount) != c.want || (len(f) > 0) != (c.want == Violated) || len(f) > 1 {
				t.Errorf("%s: %+v", j.verdict(QuestionDeviceAccount), f)
			}
			for _, f := range f {
				if !strings.Contains(f.Title, c.says) {
					t.Errorf("title %q", f.Title)
				}
				gone := strings.Contains(f.Title, "took it away") || strings.Contains(f.Grounds, "gone")
				if gone && !slices.Contains(c.now.History, removal) || gone && len(c.now.Accounts) > 1 {
					t.Errorf("of an account that is listed: %q, %q", f.Title, f.Grounds)
				}
			}
		})
	}
}
