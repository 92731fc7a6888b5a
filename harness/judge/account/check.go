package account

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
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
	minted []*Minted            // by index of the finder's strings
	sums   map[string][]*Minted // by the bytes of the digest that the value may be
}

// Prepare ends learning. It must be called before Check; it reports whether there is
// anything to check.
func (t *Tracker) Prepare() (any bool, err error) {
	f := &finder{}
	var texts [][]byte
	seen := map[*Minted]bool{}
	for _, r := range t.replies {
		for _, m := range r.minted {
			if m.gone() || r != t.replies[m.reply] || m.short || len(m.Uses) == 0 && r.signature < 0 && (m.value.Listed || !t.principal(&m.value, r) && !t.installation(&m.value)) {
				continue
			}
			if m = m.root(); seen[m] {
				continue
			}
			seen[m] = true
			f.digest(t, m)
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
	return len(texts) > 0 || len(t.wholes) > 0, nil
}

// digest notes a value that looks like a digest: it may be that of something the app
// had sent.
func (f *finder) digest(t *Tracker, m *Minted) {
	for _, sum := range sums(m.Value) {
		if f.sums == nil {
			f.sums = map[string][]*Minted{}
		}
		f.sums[string(sum)] = append(f.sums[string(sum)], m)
	}
}

// sums are the bytes of the digest that a value may be: in hexadecimal digits, also
// behind a prefix or as a UUID, or in base64.
func sums(value string) (out [][]byte) {
	bare := value
	if len(bare) == 36 {
		bare = strings.ReplaceAll(bare, "-", "")
	}
	if i := strings.LastIndexAny(bare, "_-:|."); i >= 0 && i <= 16 {
		bare = bare[i+1:]
	}
	switch len(bare) {
	case 32, 40, 64:
		if b, err := hex.DecodeString(bare); err == nil {
			out = append(out, b)
		}
	}
	if trimmed := strings.TrimRight(value, "="); len(trimmed) == 22 || len(trimmed) == 27 || len(trimmed) == 43 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, err := enc.DecodeString(trimmed); err == nil {
				out = append(out, b)
			}
		}
	}
	return out
}

// Texts that are hashed to see whether a minted value is their digest, in bytes.
const (
	shortestHashed = 4
	longestHashed  = 256
)

// hashed strikes out what is the digest of a text that the app had sent.
func (t *Tracker) hashed(text []byte, event uint64) {
	if len(t.finder.sums) == 0 || len(text) < shortestHashed || len(text) > longestHashed {
		return
	}
	forms := [][]byte{text}
	for _, other := range [][]byte{bytes.ToLower(text), bytes.ToUpper(text)} {
		if !bytes.Equal(other, text) {
			forms = append(forms, other)
		}
	}
	for _, f := range forms {
		a, b, c := md5.Sum(f), sha1.Sum(f), sha256.Sum256(f)
		for _, sum := range [][]byte{a[:], b[:], c[:]} {
			for _, m := range t.finder.sums[string(sum)] {
				if m.struck == "" && event < m.At.Event {
					m.struck = "it is the digest of what the app had sent before"
				}
			}
		}
	}
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
	if piece := core(value); piece != "" {
		forms = append(forms, piece, strings.ToLower(piece), strings.ToUpper(piece))
	}
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

// core is the one piece of a value that nobody could guess, where the rest is a word:
// a3f09c77d2e84b11 of android-a3f09c77d2e84b11.
func core(value string) string {
	for _, piece := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("-_:|.", r) }) {
		if len(piece) < len(value) && unguessable(piece) && !unguessable(strings.Replace(value, piece, "", 1)) {
			return piece
		}
	}
	return ""
}

// CheckPart strikes out what stands in a part of a message before it was minted:
// event is the message's place in the log, and installation counts the app's, as in
// [Message]. noise says that it is not the app's own
// traffic: what stands there is no secret of the app's service, whenever it stands there.
func (t *Tracker) CheckPart(p *unwrap.Part, event uint64, installation int, response, noise bool) {
	if !noise && !response {
		if p, ok := t.wholes[string(p.Data)]; ok && (p.first == 0 || event < p.first) {
			p.first = event
		}
		t.hashed(p.Data, event)
	}
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
