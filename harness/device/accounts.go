package device

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Accounts returns the device's accounts and the account manager's history,
// and the output that they were read from. The history outlives an account, so
// one that an app added in silence shows there even after it was removed. Where
// the output contradicts itself, the error comes with what could be read of it.
func (d *Device) Accounts(ctx context.Context) (evidence.Accounts, []byte, error) {
	out, err := d.run(ctx, "dumpsys", "account")
	if err != nil {
		return evidence.Accounts{}, nil, fmt.Errorf("accounts of %s: %w", d, err)
	}
	a, err := parseAccounts(out)
	if err != nil {
		return a, []byte(out), fmt.Errorf("accounts of %s: %w", d, err)
	}
	return a, []byte(out), nil
}

var (
	// A name is the app's to choose and may hold anything, a new line too.
	accountEntry = regexp.MustCompile(`(?s)Account \{name=(.*?), type=([^}\n]*)\}`)
	accountCount = regexp.MustCompile(`(?m)^ {2}Accounts: (\d+)[ \t]*$`)
	accountEvent = regexp.MustCompile(`(?m)^ {2}(-?\d+),(action_[a-z_]+),([0-9][0-9: .-]*),(-?\d+),([a-z_]*),(-?\d+)[ \t]*$`)
	nextSection  = regexp.MustCompile(`(?m)^ {2}AccountId, Action_Type`)
)

// parseAccounts reads dumpsys account. The same accounts are listed again under
// "Account visibility", so only the section of each user counts, and its own
// number is the check. With an error comes what could be read.
func parseAccounts(out string) (evidence.Accounts, error) {
	out = strings.ReplaceAll(out, "\r\n", "\n")
	a := evidence.Accounts{Accounts: []evidence.Account{}, History: []evidence.AccountAction{}}
	sections := accountCount.FindAllStringSubmatchIndex(out, -1)
	if sections == nil {
		return a, fmt.Errorf("dumpsys account says %q, and not how many there are", clip(out))
	}
	var fault error
	read := 0 // what an earlier section holds is no head of a section
	for _, at := range sections {
		if at[0] < read {
			continue
		}
		section := out[at[1]:]
		read = len(out)
		if end := nextSection.FindStringIndex(section); end != nil {
			section, read = section[:end[0]], at[1]+end[0]
		}
		entries := accountEntry.FindAllStringSubmatch(section, -1)
		for _, e := range entries {
			a.Accounts = append(a.Accounts, evidence.Account{Name: e[1], Type: e[2]})
		}
		if count := out[at[2]:at[3]]; count != strconv.Itoa(len(entries)) {
			fault = fmt.Errorf("dumpsys account says that there are %s and lists %d", count, len(entries))
		}
	}
	for _, e := range accountEvent.FindAllStringSubmatch(out, -1) {
		uid, err := strconv.Atoi(e[4])
		if err != nil {
			continue
		}
		a.History = append(a.History, evidence.AccountAction{Action: e[2], At: strings.TrimSpace(e[3]), UID: uid})
	}
	return a, fault
}

var authenticatorType = regexp.MustCompile(`AuthenticatorDescription \{type=([^}\n]+)\}, ComponentInfo\{([^/}\n]+)/`)

// accountTypes are the types of accounts that some app on the device serves,
// but for those of the app under audit: an account of its own type is its to make.
func accountTypes(dump, pkg string) []string {
	var types []string
	for _, m := range authenticatorType.FindAllStringSubmatch(dump, -1) {
		if m[2] != pkg {
			types = append(types, m[1])
		}
	}
	return types
}

// clip shortens what a device said, for an error message.
func clip(s string) string {
	if s = strings.TrimSpace(s); len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
