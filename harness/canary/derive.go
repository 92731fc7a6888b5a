package canary

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// Kinds lists every kind, in the order in which identities hold them.
func Kinds() []Kind {
	return []Kind{
		SSAID, AdvertisingID, Email, Name, Phone, IMEI, Serial, MAC, Location,
		ContactEmail, ContactPhone, ContactName, CalendarEvent, Clipboard, DeviceName,
	}
}

// Derive makes the identity of a label: one canary of every kind. The same seed
// and label give the same identity on any machine, through HKDF-SHA256 (RFC
// 5869), and another label an unrelated one. Values have the form of real ones
// and belong to nobody: telephone numbers that are reserved for fiction, mail
// under .example (RFC 2606), an IMEI with a test allocation code, a locally
// administered MAC address. None of them is one that Refuse would refuse.
func Derive(seed []byte, label string) Identity {
	return invent(seed, label, planted, nil)
}

// DeriveApart is Derive, and keeps clear of other identities too: none of its values could
// be taken for one of theirs, in any way of writing it.
func DeriveApart(seed []byte, label string, from ...Identity) Identity {
	var avoid []Canary
	for _, id := range from {
		avoid = append(avoid, id.Canaries...)
	}
	return invent(seed, label, planted, avoid)
}

// With is the identity with the values of some kinds taken from another.
func (id Identity) With(from Identity, kinds ...Kind) Identity {
	out := Identity{Label: id.Label, Canaries: slices.Clone(id.Canaries)}
	for i, c := range out.Canaries {
		if slices.Contains(kinds, c.Kind) {
			out.Canaries[i].Value = from.Value(c.Kind)
		}
	}
	return out
}

// Decoys makes values like those of Derive that are never to be planted, so that
// a match of one is a false positive. None of them equals, holds or lies within
// a canary of the same seed and label in any way of writing it; and names, words,
// places and telephone numbers are drawn from ranges of their own, so that
// decoys keep apart from the canaries of other labels too.
func Decoys(seed []byte, label string) Identity {
	return invent(seed, label, decoy, Derive(seed, label).Canaries)
}

// role says which of two disjoint ranges values are drawn from.
type role string

const (
	planted role = "planted"
	decoy   role = "decoy"
)

// invent draws one value of each kind that clashes with none of avoid, nor with
// another of its own.
func invent(seed []byte, label string, r role, avoid []Canary) Identity {
	id := Identity{Label: label}
	for _, kind := range Kinds() {
		for attempt := 0; ; attempt++ {
			c := Canary{Kind: kind, Value: draw(newSource(seed, label, r, kind, attempt), r, kind)}
			if Refuse(c) == nil && !clashesWithAny(c, id.Canaries) && !clashesWithAny(c, avoid) {
				id.Canaries = append(id.Canaries, c)
				break
			}
		}
	}
	return id
}

// source is a stream of numbers that follow from a seed and from what they are for.
type source struct {
	key  []byte
	info string
	page int
	left []byte
}

func newSource(seed []byte, label string, r role, kind Kind, attempt int) *source {
	key := sha256.Sum256(seed) // a seed of any length is a key of the usual one
	return &source{key: key[:], info: fmt.Sprintf("unasked canary 1 %s %q %s %d", r, label, kind, attempt)}
}

// below draws a number from 0 to n-1. The bias of the remainder is below n in 2^64.
func (s *source) below(n int) int {
	if len(s.left) < 8 {
		page, err := hkdf.Key(sha256.New, s.key, nil, fmt.Sprintf("%s %d", s.info, s.page), 256)
		if err != nil {
			panic("canary: HKDF-SHA256 has 8160 bytes and refused 256") // cannot happen
		}
		s.left = page
		s.page++
	}
	v := binary.BigEndian.Uint64(s.left)
	s.left = s.left[8:]
	return int(v % uint64(n))
}

// from draws characters of an alphabet.
func (s *source) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.below(len(alphabet))]
	}
	return string(b)
}

// one draws one of a list.
func (s *source) one(list []string) string { return list[s.below(len(list))] }

// Password is what the person of a label signs up with: words, digits and signs that
// forms ask for, and that Android's input command can type. It is planted nowhere.
func Password(seed []byte, label string) string {
	s, w := newSource(seed, label, planted, "password", 0), vocabularyOf(planted)
	return capital(s.one(w.first)) + "-" + s.one(w.second) + "-" + s.from(nonzero, 1) + s.from(digits, 3) + "!"
}
