package reports

import (
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

// held reports whether a finding leaves something with somebody else. What is only possible does not, and what a
// service answers with was counted when it was sent, if that was seen.
func held(f judge.Finding) bool {
	switch f.Claim {
	case judge.DeviceAccountAdded, judge.CredentialsKept, judge.IdentifierIsOnlyApp:
		return false
	case judge.IdentifierReturned:
		return f.Unseen && !f.Possible
	}
	return !f.Possible
}

// disguise is the chain of a finding's plainest proof, and whether only fingerprints were seen.
func disguise(f judge.Finding) (chain []string, hashed bool) {
	hashed = len(f.Proof) > 0
	for i, p := range f.Proof {
		isHash := false
		for _, step := range p.Chain {
			isHash = isHash || explain.Hash(step)
		}
		if i == 0 || hashed && !isHash {
			chain = p.Chain
		}
		hashed = hashed && isHash
	}
	return chain, hashed
}

// consents lists the states that a finding was seen in, in the order in which a person goes through them.
func consents(f judge.Finding) []evidence.Consent {
	seen := map[evidence.Consent]bool{f.Consent: true}
	for _, p := range f.Proof {
		if p.Role != "stored" { // what lies on the device goes nowhere
			seen[p.Consent] = true
		}
	}
	var out []evidence.Consent
	for _, c := range allConsents {
		if seen[c] {
			out = append(out, c)
		}
	}
	return out
}

var allConsents = []evidence.Consent{evidence.Untouched, evidence.Ignored, evidence.Choosing, evidence.Rejected, evidence.Accepted, evidence.Withdrawn}
