package android

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// account is one account on the device.
type account struct {
	ID         int
	Name, Type string
	Password   string
	UID        int // of the app that added it
}

// accounts is the account manager: what there is, and the history of what was
// done, which outlives the accounts.
type accounts struct {
	mu      sync.Mutex
	now     func() time.Time
	nextID  int
	list    []account
	history []accountAction
}

// accountAction is a row of the debug table of accounts.
type accountAction struct {
	Account int
	Action  string
	At      time.Time
	UID     int
	Table   string
}

// The actions, named as in AccountsDb.
const (
	actionCalledAdd     = "action_called_account_add"
	actionAdd           = "action_account_add"
	actionCalledRemove  = "action_called_account_remove"
	actionRemove        = "action_account_remove"
	actionAuthenticator = "action_authenticator_remove"
)

// historyLimit is how many rows the history keeps, as AccountsDb's MAX_DEBUG_DB_SIZE.
const historyLimit = 64

func newAccounts(now func() time.Time) *accounts { return &accounts{now: now, nextID: 1} }

func (a *accounts) record(id int, action string, uid int) {
	a.history = append(a.history, accountAction{Account: id, Action: action, At: a.now(), UID: uid, Table: "accounts"})
	if len(a.history) > historyLimit {
		a.history = a.history[1:]
	}
}

// add is AccountManager.addAccountExplicitly: silent, no person asked. It
// reports whether the account is new.
func (a *accounts) add(name, typ, password string, uid int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.ContainsFunc(a.list, func(x account) bool { return x.Name == name && x.Type == typ }) {
		return false
	}
	a.list = append(a.list, account{ID: a.nextID, Name: name, Type: typ, Password: password, UID: uid})
	a.record(a.nextID, actionAdd, uid)
	a.nextID++
	return true
}

// remove takes an account away and reports whether it was there.
func (a *accounts) remove(name, typ string, uid int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.list, func(x account) bool { return x.Name == name && x.Type == typ })
	if i < 0 {
		return false
	}
	id := a.list[i].ID
	a.list = slices.Delete(a.list, i, i+1)
	a.record(id, actionCalledRemove, uid)
	a.record(id, actionRemove, uid)
	return true
}

// purge takes away the accounts of types that no authenticator serves any
// more, as the account manager does when an app is uninstalled.
func (a *accounts) purge(served func(typ string) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = slices.DeleteFunc(a.list, func(x account) bool {
		if served(x.Type) {
			return false
		}
		a.record(x.ID, actionAuthenticator, 1000)
		return true
	})
}

// all are the accounts, in order of their making.
func (a *accounts) all() []account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.list)
}

// authenticator is a service that an app offers for a type of accounts.
type authenticator struct {
	Type      string
	Component string // package/class
	UID       int
}

// dump is "dumpsys account" (AccountManagerService.dumpUser). Times are in the device's zone.
func (a *accounts) dump(r Release, zone *time.Location, services []authenticator) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "User UserInfo{0:Owner:%s}:\n", r.UserFlags)
	fmt.Fprintf(&b, "  Accounts: %d\n", len(a.list))
	for _, x := range a.list {
		fmt.Fprintf(&b, "    Account {name=%s, type=%s}\n", oneLine(x.Name), oneLine(x.Type))
	}
	b.WriteString("\n  AccountId, Action_Type, timestamp, UID, TableName, Key\n  Accounts History\n")
	for i, h := range a.history {
		fmt.Fprintf(&b, "  %d,%s,%s,%d,%s,%d\n", h.Account, h.Action, h.At.In(zone).Format(time.DateTime), h.UID, h.Table, i+1)
	}
	b.WriteString("\n  Active Sessions: 0\n\n")
	fmt.Fprintf(&b, "  RegisteredServicesCache: %d services\n", len(services))
	for _, s := range services {
		fmt.Fprintf(&b, "    ServiceInfo: AuthenticatorDescription {type=%s}, ComponentInfo{%s}, uid %d\n", oneLine(s.Type), oneLine(s.Component), s.UID)
	}
	b.WriteString("  Account visibility:\n")
	for _, x := range a.list {
		fmt.Fprintf(&b, "    Account {name=%s, type=%s}\n", oneLine(x.Name), oneLine(x.Type))
	}
	return b.String()
}

// oneLine keeps a value that an app chose from forging further lines of output.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, s)
}
