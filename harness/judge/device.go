package judge

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// whose says who added an account.
type whose int

const (
	unclear whose = iota
	theApps
	anothers
)

// arrivals are the accounts that came onto the device while the app was there.
type arrivals struct {
	*inquiry
	before evidence.Accounts // as the device was before the app ran
	known  bool              // before was read
	whose  map[evidence.Account]whose
}

// deviceAccounts finds accounts that the app added to the device: those that were
// not there before it ran, and rows of the history that carry its uid.
func (c *inquiry) deviceAccounts() {
	a := arrivals{inquiry: c, whose: map[evidence.Account]whose{}}
	for _, x := range c.accounts {
		if c.beforeApp(x.Event) {
			a.before, a.known = x.data, true
			clear(a.whose)
			continue
		}
		if !a.known {
			c.spots.add(BlindSpot{
				What:  "The device's accounts were not read before the app was there, so which of them are new can't be told.",
				Hides: []string{QuestionDeviceAccount}, Event: x.Seq,
			})
		}
		a.look(x)
		// The history outlives accounts and apps: the next arm begins with it.
		a.before.History = x.data.History
	}
}

// look takes in what the account manager holds while the app is there.
func (a *arrivals) look(x at[evidence.Accounts]) {
	h := a.rows(x.data.History)
	var fresh []evidence.Account
	for _, account := range x.data.Accounts {
		if !slices.Contains(a.before.Accounts, account) {
			fresh = append(fresh, account)
		}
	}
	for account := range a.whose {
		if !slices.Contains(fresh, account) {
			delete(a.whose, account) // one that comes back is another
		}
	}
	undecided := 0
	for _, account := range fresh {
		if a.whose[account] == unclear {
			undecided++
		}
	}
	served := a.authenticators(x.data.Raw)
	found, open := false, 0
	for _, account := range fresh {
		grounds := h.grounds()
		if a.whose[account] == unclear {
			a.whose[account] = a.decide(h, served[account.Type], undecided)
		}
		switch {
		case a.whose[account] == theApps:
			found = true
			if grounds == "" {
				grounds = fmt.Sprintf("it was not there before the app, and the app itself serves accounts of type %s", account.Type)
			}
			a.finding(x, account.Type, account.Name, fmt.Sprintf("Account {name=%s, type=%s}", account.Name, account.Type),
				fmt.Sprintf("The app added an account of type %s to the device", account.Type), grounds)
		case a.whose[account] == unclear:
			open++
			if a.known && !a.signup(x.Arm, x.Phase) {
				a.spots.add(BlindSpot{
					What: fmt.Sprintf("An account of type %s came onto the device while the app was there, and neither the account manager's history nor the list of authenticators tells who added it.",
						account.Type),
					Hides: []string{QuestionDeviceAccount}, Event: x.Seq,
				})
			}
		}
	}
	if !found && len(h.ours) > 0 {
		a.row(x, h, open, len(fresh))
	}
}

// decide says whose an account is by the new rows and by who serves its type;
// undecided is how many such accounts there are.
func (a *arrivals) decide(h history, served whose, undecided int) whose {
	switch {
	case !a.known && served == theApps && a.installs: // the type came with the app
		return theApps
	case !a.known:
		return unclear
	case len(h.ours) == 0 && h.others >= undecided: // a row says more than a type
		return anothers
	case served == theApps, len(h.ours) >= undecided && h.others == 0:
		return theApps
	case served == anothers:
		return anothers
	}
	return unclear
}

// row makes a finding of a row of the history that no account on the device explains.
func (a *arrivals) row(x at[evidence.Accounts], h history, open, fresh int) {
	subject, title, grounds := "account", "The app added an account to the device", h.grounds()
	switch {
	case !h.added:
		title = "The app asked the device to add an account"
	case open > 0:
		grounds += "; which of those on the device it is can't be told"
	case a.known && fresh == 0 && h.removed:
		subject, title = "removed", title+" and took it away again"
		grounds += "; it is gone now, and the history keeps the row"
	default:
		grounds += "; among those on the device it can't be told"
	}
	a.finding(x, subject, "", h.ours[0].Action+" "+h.ours[0].At, title, grounds)
}

func (a *arrivals) finding(x at[evidence.Accounts], subject, name, text, title, grounds string) {
	p := a.pointer(x.Event, "device", nil, []byte(text))
	p.Blob = x.data.Raw
	a.findings.add(Finding{Claim: DeviceAccountAdded, Subject: subject, Value: name, Title: title, Grounds: grounds},
		sighting{Pointer: p, arm: x.Arm, signup: a.signup(x.Arm, x.Phase)})
}

// history is what is new in the account manager's history.
type history struct {
	ours    []evidence.AccountAction // additions by the app's uid, also those that it only asked for
	others  int                      // additions by other uids
	added   bool                     // one of ours is an addition indeed
	removed bool                     // something was removed after the last of them
}

// rows sorts the rows that were not there before.
func (a *arrivals) rows(list []evidence.AccountAction) history {
	var h history
	for _, row := range list {
		if slices.Contains(a.before.History, row) {
			continue
		}
		switch added := addition(row.Action); {
		case added && a.uids[row.UID]:
			h.ours = append(h.ours, row)
			if !asking(row.Action) {
				h.added, h.removed = true, false
			}
		case added && !asking(row.Action):
			h.others++
		case strings.HasSuffix(row.Action, "account_remove"):
			h.removed = true
		}
	}
	return h
}

// grounds says what the history says of the app, if it says anything.
func (h history) grounds() string {
	if len(h.ours) == 0 {
		return ""
	}
	row, did := h.ours[0], "asked for one"
	for _, r := range h.ours {
		if !asking(r.Action) {
			row, did = r, "added it"
			break
		}
	}
	return fmt.Sprintf("the account manager's history says that uid %d, the app's, %s at %s", row.UID, did, row.At)
}

// addition reports whether a row of the history says that an account was added, by
// whichever of the names that Android's releases write.
func addition(action string) bool { return strings.HasSuffix(action, "account_add") }

// asking reports whether a row says only that somebody asked the account manager.
func asking(action string) bool { return strings.Contains(action, "_called_") }

// authenticator is a line of dumpsys account: a type, and the package that serves it.
var authenticator = regexp.MustCompile(`(?m)^\s+ServiceInfo: AuthenticatorDescription \{type=([^}\n]+)\}, ComponentInfo\{([^/}\n]+)/`)

// longestDump is how many bytes of dumpsys account are looked at.
const longestDump = 4 << 20

// authenticators says of each type of account whether the app serves it, from the
// output that the accounts were read from. A name on a list of accounts can hold such
// a line too, but takes nothing away from the app's own.
func (c *inquiry) authenticators(raw evidence.Digest) map[string]whose {
	served := map[string]whose{}
	if raw == "" {
		return served
	}
	blob, err := c.ev.Blob(raw)
	if err != nil {
		return served // the output is a proof, and its absence no reason to stop
	}
	defer blob.Close()
	dump, _ := io.ReadAll(io.LimitReader(blob, longestDump))
	for _, m := range authenticator.FindAllSubmatch(dump, -1) {
		typ := string(m[1])
		if string(m[2]) == c.app.Package {
			served[typ] = theApps
		} else if served[typ] == unclear {
			served[typ] = anothers
		}
	}
	return served
}
