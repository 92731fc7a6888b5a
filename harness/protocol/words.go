package protocol

import (
	"fmt"
	"strings"
)

// Words say the whole plan in sentences, for who reads no YAML.
func (p *Protocol) Words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Protocol %s: %s\n\n%s\n\n", p.Name, p.Title, strings.TrimSpace(p.Purpose))
	permissions := "All permissions that a person could grant are granted before the first launch."
	if p.Permissions == Ask {
		permissions = "The app's prompts for permissions are refused."
	}
	fmt.Fprintf(&b, "%s At least %g %% of the bytes that the app sends has to be readable.\n", permissions, float64(p.Coverage)/10)
	if p.Experiment() {
		b.WriteString("Before the first arm the device's backups are turned off. After each, the app is removed with its data, and so is what it left in shared storage.\n" +
			"First come the arms with the role N and A; then all runs with the roles F, B, C and D, in an order that is drawn by lot from the audit's seed; last those with the role G.\n")
	}
	fmt.Fprintf(&b, "It watches for %s in all.\n", p.Lasts())
	for i := range p.Arms {
		a := &p.Arms[i]
		fmt.Fprintf(&b, "\nArm %s, %s", a.Name, timesOver(p.times(a)))
		if a.Role != "" {
			fmt.Fprintf(&b, ": role %s, %s", a.Role, a.Role.Words())
		}
		if a.Change != "" {
			fmt.Fprintf(&b, ": %s", a.Change.Words())
		}
		b.WriteString(".\n")
		for _, ph := range a.Phases {
			fmt.Fprintf(&b, "  %s: %s", ph.Name, ph.Act.Words())
			if ph.Lasts > 0 {
				fmt.Fprintf(&b, "; then %s are watched", ph.Duration())
			}
			b.WriteString(".\n")
		}
	}
	return b.String()
}

func timesOver(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// Words names the source for a person.
func (s Source) Words() string {
	switch s {
	case "ssaid":
		return "the Android ID (SSAID)"
	case "email":
		return "the mail account"
	case Hardware:
		return "the serial number, the Wi-Fi address and the IMEI"
	case ExitAddress:
		return "the address on the internet that services see"
	}
	return "the " + strings.ReplaceAll(string(s), "_", " ")
}
