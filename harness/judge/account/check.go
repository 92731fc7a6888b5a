package account

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// finder looks for everything that may turn out to be minted, in all spellings.
type finder struct {
	find   *recognise.Finder
	minted []*Minted // by index of the finder's strings
}

// Prepare ends learning. It must be called before Check; it reports whether there is
// anything to check.
func (t *Tracker) Prepare() (any bool, err error) {
	f := &finder{}
	var texts [][]byte
	seen := map[*Minted]bool{}
	for _, r := range t.replies {
		for _, m := range r.minted {
			if m.gone() || r != t.replies[m.reply] || len(m.Uses) == 0 && r.signature < 0 && !t.named(m) {
				continue
			}
			if m = m.root(); seen[m] {
				continue
			}
			seen[m] = true
			for _, text := range spellings(m.Value) {
				texts = append(texts, text)
				f.minted = append(f.minted, m)
			}
		}
	}
	f.find, err = recognise.NewFinder(texts)
	if err != nil {
		return false, err
	}
	t.finder = f
	return len(texts) > 0, nil
}

// Last is the event after which nothing is minted any more, and no id answered: what
// the app sends later can be no reason to strike anything out.
func (t *Tracker) Last() (event uint64) {
	if n := len(t.replies); n > 0 {
		event = t.replies[n-1].message.Event
	}
	if n := len(t.answers); n > 0 {
		event = max(event, t.answers[n-1].at.Event)
	}
	return event
}

// spellings are the forms in which the app may have known a value before: other case,
// without separators, encoded, and what it is when it is decoded.
func spellings(value string) [][]byte {
	forms := []string{value, strings.ToLower(value), strings.ToUpper(value)}
	if bare := strings.ReplaceAll(value, "-", ""); bare != value {
		forms = append(forms, bare, strings.ToLower(bare), strings.ToUpper(bare))
	}
	if len(value) == 32 && isHex(value) { // a UUID that lost its dashes
		v := strings.ToLower(value)
		forms = append(forms, v[:8]+"-"+v[8:12]+"-"+v[12:16]+"-"+v[16:20]+"-"+v[20:])
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		forms = append(forms, enc.EncodeToString([]byte(value)))
		if d, err := enc.DecodeString(strings.TrimRight(value, "=")); err == nil && len(d) >= shortestMinted {
			forms = append(forms, string(d))
		}
	}
	forms = append(forms, hex.EncodeToString([]byte(value)))
	if d, err := hex.DecodeString(value); err == nil && len(d) >= shortestMinted {
		forms = append(forms, string(d))
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	out := make([][]byte, 0, len(forms))
	for _, f := range forms {
		if len(f) >= recognise.ShortestFound {
			out = append(out, []byte(f))
		}
	}
	return out
}

// CheckPart strikes out what stands in a part of a message before it was minted:
// event is the message's place in the log, and installation counts the app's, as in
// [Message]. noise says that it is not the app's own
// traffic: what stands there is no secret of the app's service, whenever it stands there.
func (t *Tracker) CheckPart(p *unwrap.Part, event uint64, installation int, response, noise bool) {
	t.finder.find.Find(p.Data, func(i int) {
		m := t.finder.minted[i]
		for _, a := range m.answers {
			a.sent = a.sent || !noise && !response && a.installation == installation && event < a.at.Event
		}
		switch {
		case m.struck != "":
		case noise:
			m.struck = "it stands in the baseline too"
		case !response && event < m.At.Event:
			m.struck = "the app had sent it before, so the answer is an echo"
		}
	})
}

// CheckFile strikes out what stands in a file that the app came with.
func (t *Tracker) CheckFile(data []byte) {
	t.finder.find.Find(data, func(i int) {
		if m := t.finder.minted[i]; m.struck == "" {
			m.struck = "it stands in the app itself"
		}
	})
}
