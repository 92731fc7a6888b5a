package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// deviceAccounts finds accounts that the app added to the device: those that were
// not there before it, and rows of the history that carry its uid.
func (c *inquiry) deviceAccounts() {
	var before evidence.Accounts
	known := false
	for _, x := range c.accounts {
		if c.withoutApp(x.Event) {
			before, known = x.data, true
			continue
		}
		c.added(x, before, known)
		// The history outlives accounts and apps: the next arm begins with it.
		before.History = x.data.History
	}
}

func (c *inquiry) added(x at[evidence.Accounts], before evidence.Accounts, known bool) {
	var rows []evidence.AccountAction
	for _, row := range x.data.History {
		if c.uids[row.UID] && addition(row.Action) && !slices.Contains(before.History, row) {
			rows = append(rows, row)
		}
	}
	grounds := "it was not there before the app"
	if len(rows) > 0 {
		grounds = fmt.Sprintf("the account manager's history says that uid %d, the app's, added it at %s", rows[0].UID, rows[0].At)
	}
	if !known && len(rows) == 0 {
		return // nobody looked before the app came, and nothing says that it was the app
	}
	found := false
	for _, a := range x.data.Accounts {
		if slices.Contains(before.Accounts, a) || c.planted(a.Name) {
			continue
		}
		found = true
		c.deviceAccount(x, a.Type, a.Name, fmt.Sprintf("Account {name=%s, type=%s}", a.Name, a.Type),
			fmt.Sprintf("The app added an account of type %s to the device", a.Type), grounds)
	}
	if found || len(rows) == 0 {
		return
	}
	c.deviceAccount(x, "removed", "", rows[0].Action+" "+rows[0].At,
		"The app added an account to the device and took it away again", grounds+"; it is gone now, and the history keeps the row")
}

func (c *inquiry) deviceAccount(x at[evidence.Accounts], subject, name, text, title, grounds string) {
	p := c.pointer(x.Event, "device", nil, []byte(text))
	p.Blob = x.data.Raw
	c.findings.add(Finding{Claim: DeviceAccountAdded, Subject: subject, Value: name, Title: title, Grounds: grounds},
		sighting{Pointer: p, arm: x.Arm, signup: c.signup(x.Arm, x.Phase)})
}

// addition reports whether a row of the history says that an account was added, by
// whichever of the names that Android's releases write.
func addition(action string) bool {
	return strings.HasSuffix(action, "account_add")
}

// planted reports whether an account is one of ours.
func (c *inquiry) planted(name string) bool {
	return slices.ContainsFunc(c.plantings, func(p evidence.Planting) bool { return p.Value == name }) ||
		slices.ContainsFunc(c.identity.Canaries, func(k canary.Canary) bool { return k.Value == name })
}
