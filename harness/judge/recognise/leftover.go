package recognise

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"

	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// leftovers is what a message holds beside its needles: what looks like a digest, short
// values that may be a salt or a key, and bytes that are no text. Which of them nothing
// explains is known when the message ends.
type leftovers struct {
	arena    []byte
	tokens   []leftover
	turned   []leftover // tokens in what a decoding gave that nothing announces
	salts    []leftover
	binaries []leftover
}

// leftover is a part, or a piece of one, that is kept until the message ends.
type leftover struct {
	part unwrap.Part // without Data
	data []byte
	form string // of a digest: hex, base64, raw
	text []byte // of a digest as it stands there
	key  []byte // of an XOR that was taken off
}

// Budgets of one message.
const (
	mostTokens   = 48
	mostSalts    = 64
	mostBinaries = 32
	mostBinary   = 64 << 10 // bytes of one
	longestSalt  = 128
	shortestSalt = 4
)

// keep takes what may be needed of a part. Parts are valid during the visit only.
func (l *leftovers) keep(p *unwrap.Part) {
	if p.Guess && len(p.Data) >= 22 && len(p.Data) <= longestDigest && text(p.Data) {
		l.digestLike(p, p.Data, nil)
	}
	if p.Guess || len(p.Data) < shortestSalt {
		return
	}
	if !text(p.Data[:min(len(p.Data), 64)]) {
		if len(p.Data) >= shortest && len(l.binaries) < mostBinaries && p.Root() != "" {
			l.binaries = append(l.binaries, leftover{part: withoutData(p), data: bytes.Clone(p.Data[:min(len(p.Data), mostBinary)])})
		}
		// A digest does not begin like a text: of 150,000 one does.
		if slices.Contains(digestSizes, len(p.Data)) && len(l.tokens) < mostTokens && !text(p.Data[:12]) {
			d := bytes.Clone(p.Data)
			l.tokens = append(l.tokens, leftover{part: withoutData(p), data: d, form: "raw", text: d})
		}
		return
	}
	if len(p.Data) > 512 || p.Type == unwrap.Bool {
		return
	}
	if len(p.Data) <= longestSalt && len(l.salts) < mostSalts {
		l.salts = append(l.salts, leftover{part: withoutData(p), data: l.clone(p.Data)})
	}
	if len(p.Data) >= 22 { // of base64, for 16 bytes
		l.digestLike(p, p.Data, nil)
	}
}

// clone copies into the arena.
func (l *leftovers) clone(data []byte) []byte {
	from := len(l.arena)
	l.arena = append(l.arena, data...)
	return l.arena[from:len(l.arena):len(l.arena)]
}

// withoutData is a part without its bytes.
func withoutData(p *unwrap.Part) unwrap.Part {
	return p.Kept()
}

// digestSizes are the sizes of all digests that can be salted.
var digestSizes = func() (sizes []int) {
	for i := range sums {
		if sums[i].size >= 16 {
			sizes = append(sizes, sums[i].size)
		}
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}()

// digestLike keeps runs of hexadecimal digits, and values in base64, that have the length
// of a digest. data is what p holds, without the key if there is one.
func (l *leftovers) digestLike(p *unwrap.Part, data, key []byte) {
	list := &l.tokens
	if p.Guess || key != nil {
		list = &l.turned
	}
	add := func(d []byte, form string, text []byte) {
		*list = append(*list, leftover{part: withoutData(p), data: d, form: form, text: l.clone(text), key: key})
	}
	found := false
	for i := 0; i < len(data); {
		if nibbles[data[i]] > 15 {
			i++
			continue
		}
		from := i
		for i < len(data) && nibbles[data[i]] < 16 {
			i++
		}
		if n := i - from; n%2 == 0 && slices.Contains(digestSizes, n/2) && len(*list) < mostTokens {
			d := make([]byte, n/2)
			if _, err := hex.Decode(d, data[from:i]); err == nil {
				add(d, "hex", data[from:i])
				found = true
			}
		}
	}
	value := bytes.TrimRight(data, "=")
	if found || len(value) > 90 || len(*list) >= mostTokens || !slices.Contains(digestSizes, len(value)*6/8) || !mixed(value) {
		return
	}
	d := make([]byte, base64.RawStdEncoding.DecodedLen(len(value)))
	n, err := base64.RawStdEncoding.Decode(d, value)
	if err != nil {
		n, err = base64.RawURLEncoding.Decode(d, value)
	}
	if err == nil && slices.Contains(digestSizes, n) {
		add(d[:n], "base64", data)
	}
}

// mixed reports whether a value is of base64's characters, with capitals and small
// letters among them, as all but one in 50,000 digests have that are written so.
func mixed(value []byte) bool {
	all, both := uint8(0), uint8(0xff)
	for _, b := range value {
		all |= characters[b]
		both &= characters[b]
	}
	return both&inBase64 != 0 && all&(inCapitals|inSmall) == inCapitals|inSmall
}
