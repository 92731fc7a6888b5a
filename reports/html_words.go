package reports

import (
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/internal/inert"
)

// glossary explains the words of a report to somebody who reads one for the first time.
func glossary() []word {
	return []word{
		{"Audit", "One run of a protocol against one app, on one device, with everything recorded."},
		{"Protocol", "The plan of an audit: its phases, how long each lasts, and what is done in it. It is part of the evidence."},
		{"Phase", "A named stretch of the audit, such as untouched (the app was opened, and nobody touched it) or rejected (consent was refused)."},
		{"Arm", "One run of the phases with one invented person and one choice about consent."},
		{"Android ID (SSAID)", "A number that Android gives each app on a device and keeps when the app is installed again; SSAID is its name in Android’s settings."},
		{"Canary", "A value that was put on the device for this audit and exists nowhere else, such as an invented e-mail address. Where it turns up, it came from this device."},
		{"Decoy", "A value of the same kind that was never put on the device. If one is “found”, the instrument errs; that is counted in every audit."},
		{"Identifier", "A value that singles out a person or a device: an e-mail address, an advertising ID, a precise location."},
		{"Fingerprint, hash", "A number computed from a value, such as its SHA-256. It can't be turned back, but whoever knows the value, or has a list of such values, recognises it."},
		{"Installation ID", "A number that a service gives to one installation of an app. It is no account."},
		{"Account", "A user that the service created and the app acts as: the service issued a value, and the app sent it back as its credential."},
		{"Minted value", "A value that first appears in a service's answer, that nothing before held, that can't be guessed, and that the app then uses."},
		{"Ladder", "How far the creation of an account went, from L0 (nothing) to L7 (confirmed from outside)."},
		{"Decoding", "What has to be undone before a value can be read, such as gzip or base64. A place names its decodings from the outside in."},
		{"Chain head", "The SHA-256 of the last line of the log. Each line holds that of the line before, so the last one stands for all."},
		{"Seal", "The SHA-256 of the evidence’s manifest, which names every file with its own. Whoever noted it down sees any later change."},
		{"Flow", "One request of the app with the service's answer."},
		{"Finding", "A statement that something happened, with the places in the evidence that prove it."},
		{"Coverage", "How much of what the app sent could be read: bytes in the clear, of all that came by or that the device's kernel counted."},
		{"JA3, JA4", "Short names for how a program opens an encrypted connection. The same program has the same, whatever host it talks to."},
		{"Blind spot", "Something that could not be looked at. Where it could hide a violation, the answer is inconclusive."},
		{"Draft", "A recording that was made and thrown away, and never posted."},
		{"Violated", "It happened, and the proof is in this report."},
		{"Not observed", "It was looked for and not seen in this audit. That is no statement about other versions, devices, places or times."},
		{"Inconclusive", "It was not seen, but something could not be looked at that could hide it."},
		{"Not applicable", "The audit gave no occasion for it."},
	}
}

var reasons = map[string]string{
	flow.Distrusted: "the app refused the proxy's certificate",
	flow.HungUp:     "the app ended the connection before it was set up",
	flow.NoHTTP:     "what was sent is no HTTP",
	flow.NoOrigin:   "the service could not be reached",
	flow.Broken:     "the connection broke",
	flow.Passed:     "let through untouched, after the app had refused the proxy's certificate for this host",
	flow.ClientCert: "the service asks for a certificate of the app's own",
	flow.QUIC:       "an attempt at HTTP/3, which was refused so that the app falls back",
	flow.Upgraded:   "it went over to another protocol; its messages were searched",
	flow.Unused:     "opened in advance, and closed with nothing sent on it",
}

// reason says why a connection could not be read.
func reason(r string) string {
	if s, ok := reasons[r]; ok {
		return s
	}
	return inert.Line(r, 80)
}
