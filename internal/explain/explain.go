// Package explain puts findings, places and verdicts into words that a person
// who writes no software understands. The specs and every report use the same ones.
//
// It concludes nothing: each sentence says what a field of the judgement says.
package explain

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// longest is the most characters of a value, host or path that one sentence quotes.
const longest = 120

// Consent says when something happened, in relation to the person's choice: "before any choice".
// It is empty for a state that is not known.
func Consent(c evidence.Consent) string {
	switch c {
	case evidence.Untouched:
		return "before any choice"
	case evidence.Choosing:
		return "while the refusal was being touched"
	case evidence.Rejected:
		return "after rejection"
	case evidence.Accepted:
		return "after acceptance"
	case evidence.Ignored:
		return "with the question left unanswered"
	case evidence.Withdrawn:
		return "after consent was withdrawn"
	}
	return ""
}

// When names the phase and the consent state: "in phase first-launch, before any choice".
func When(phase string, c evidence.Consent) string {
	var parts []string
	if phase != "" {
		parts = append(parts, "in phase "+inert.Line(phase, longest))
	}
	if said := Consent(c); said != "" {
		parts = append(parts, said)
	}
	return strings.Join(parts, ", ")
}

var kinds = map[canary.Kind]string{
	canary.SSAID:         "Android ID (SSAID)",
	canary.AdvertisingID: "advertising ID",
	canary.Email:         "e-mail address",
	canary.Name:          "full name",
	canary.Phone:         "phone number",
	canary.IMEI:          "IMEI",
	canary.Serial:        "hardware serial number",
	canary.MAC:           "Wi-Fi address (MAC)",
	canary.Location:      "location",
	canary.ContactEmail:  "e-mail address of a contact",
	canary.ContactPhone:  "phone number of a contact",
	canary.ContactName:   "name of a contact",
	canary.CalendarEvent: "calendar entry",
	canary.Clipboard:     "clipboard",
	canary.DeviceName:    "device name",
}

// Kind names what a canary stands for: "advertising ID". A kind that is not known is shown as it is.
func Kind(k string) string {
	if name, ok := kinds[canary.Kind(k)]; ok {
		return name
	}
	return inert.Line(strings.ReplaceAll(k, "_", " "), longest)
}

var claims = map[judge.Claim]string{
	judge.IdentifierSent:      "Identifier sent",
	judge.IdentifierReturned:  "Identifier returned",
	judge.InstallationIssued:  "Installation ID issued",
	judge.SessionIssued:       "Guest session issued",
	judge.AccountCreated:      "Account created",
	judge.AccountRecoverable:  "Account that comes back",
	judge.AccountObject:       "Account with a profile",
	judge.AccountContinued:    "Account that a sign-up went on with",
	judge.AccountConfirmed:    "Account confirmed by the website",
	judge.DeviceRemembered:    "Device remembered",
	judge.DraftUploaded:       "Draft uploaded",
	judge.FeatureVectorSent:   "What looks like face geometry sent",
	judge.DeviceAccountAdded:  "Account added to the device",
	judge.CredentialsKept:     "Credentials kept on the device",
	judge.IdentifierIsOnlyApp: "Identifier kept on the device",
}

// Claim names a claim: "Account created". One that is not known is shown as it is.
func Claim(c judge.Claim) string {
	if name, ok := claims[c]; ok {
		return name
	}
	return inert.Line(strings.ReplaceAll(string(c), "-", " "), longest)
}

// Country names a country by its ISO 3166-1 alpha-2 code: "China". A code that is not known is shown as it is.
func Country(code string) string {
	if code == "" {
		return ""
	}
	region, err := language.ParseRegion(code)
	if err != nil {
		return inert.Line(code, 8)
	}
	if name := display.English.Regions().Name(region); name != "" {
		return name
	}
	return inert.Line(code, 8)
}

// Recipient names a host with the company behind it: "log.ads.example (Ads Ltd, Ireland)".
func Recipient(host, owner, country string) string {
	host = inert.Middle(host, longest)
	var behind []string
	if owner != "" {
		behind = append(behind, inert.Line(owner, longest))
	}
	if country != "" {
		behind = append(behind, Country(country))
	}
	switch {
	case len(behind) == 0:
		return host
	case host == "":
		return strings.Join(behind, ", ")
	}
	return fmt.Sprintf("%s (%s)", host, strings.Join(behind, ", "))
}

// Times says in how many of the repeats something was seen: "in 2 of 3 repeats". It is empty for a single one.
func Times(r judge.Repeats) string {
	if r.Of <= 1 {
		return ""
	}
	return fmt.Sprintf("in %d of %d repeats", r.Times, r.Of)
}

// Count is n with a noun in the right number: "1 finding", "1,204 requests".
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Number writes n with a comma between thousands.
func Number(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Bytes writes a size for people: "312 bytes", "4.2 kB", "18 MB", in powers of ten.
func Bytes(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		v /= 1000
		if v < 9.95 {
			return fmt.Sprintf("%.1f %s", v, unit)
		}
		if v < 999.5 {
			return fmt.Sprintf("%.0f %s", v, unit)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
