package explain

import (
	"regexp"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// Older evidence and the knowledge base have several names for some things; a report has one.
var oneWord = []struct {
	old  *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`\bAndroid ID\b( \(SSAID\))?`), "Android ID (SSAID)"},
	{regexp.MustCompile(`\b(e-)?mail address\b`), "e-mail address"},
	{regexp.MustCompile(`\badvertising id\b`), "advertising ID"},
	{regexp.MustCompile(`\bname of the device\b`), "device name"},
}

// Line makes a sentence of the judgement inert, cuts it to most characters, and uses one word for one thing.
func Line(s string, most int) string {
	for _, w := range oneWord {
		s = w.old.ReplaceAllLiteralString(s, w.word)
	}
	return inert.Line(s, most)
}

// deviceTime is a time as Android's account manager prints it: without a zone.
var deviceTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b`)

// Grounds is why a finding is thought to be so. A time that the device wrote down is said to be of the
// device's own clock, which may be wrong and in another zone than the report's.
func Grounds(f judge.Finding) string {
	s := f.Grounds
	if f.Claim == judge.DeviceAccountAdded && !strings.Contains(s, "clock") {
		s = deviceTime.ReplaceAllString(s, "$0 by the device's clock")
	}
	return Line(s, 600)
}

// Promise is what a question asks without the condition that all questions share:
// "creates no account", for a list that begins "Without signing up, the service …".
func Promise(q judge.Question) string {
	return strings.TrimSuffix(inert.Line(q.Title, 200), " without sign-up")
}

// Promises says how the list of answers is read.
const Promises = "Each line is a promise. Violated: it was broken. Not observed: no breach of it was seen. " +
	"Inconclusive: no breach was seen, but one could have been hidden. Not applicable: there was no occasion for one."

// Noted is what a report says of a blind spot that hides nothing that was asked.
const Noted = "Noted; it changes no answer."
