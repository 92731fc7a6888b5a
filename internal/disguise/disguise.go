// Package disguise writes identifiers the way apps disguise them. It is the ground
// truth that tests and benchmarks plant, and nothing of the product uses it.
//
// It is written from the documents that define each encoding and from public
// libraries, never from the judge's decoders: a slip in one must not hide the same
// slip in the other. [All] lists every way, [Plant] applies a chain of them, and
// [Senseless] names the combinations that nobody could take back.
package disguise

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// Disguise is one way to write a value.
type Disguise struct {
	// Name is this way's own, such as "base64/url-unpadded".
	Name string
	// Chain is what it adds to a finding's chain, outermost first: nothing for a
	// spelling or for a container that only structures.
	Chain []string
	// Text says that it can only write text: valid UTF-8 without control characters.
	Text bool
	// Binary says that what it gives is no text, and Container that the value stands
	// among others in what it gives.
	Binary, Container bool
	// Innermost disguises write the value itself and nothing that was made of it: a
	// spelling, or the raw bytes of a UUID or of a number.
	Innermost bool
	// Digest says that the value can't be computed from what it gives.
	Digest bool
	// Canonical says that everybody who writes a value this way writes the same bytes,
	// so that a digest of them can be known beforehand.
	Canonical bool
	// Keyed disguises depend on a secret that stands elsewhere in the flow: [Env.Key] or [Env.Salt].
	Keyed bool
	// Kinds are the kinds of value that it is for; nil for all.
	Kinds []string
	// ContentType is what a sender announces for a body that is written so, or "".
	ContentType string
	// Encode writes value. It gives nil where the way is not for this value.
	Encode func(value []byte, env *Env) []byte
}

// Env is what a sender has besides the value. The same seed gives the same bytes.
type Env struct {
	Rand *rand.Rand // for boundaries, alignments, and keys that nobody is told
	Key  []byte     // a key that is sent in the same flow
	Salt []byte     // another value that is sent in the same flow
}

// NewEnv makes an environment from a seed. Key and salt are printable, 16 and 12 characters long.
func NewEnv(seed uint64) *Env {
	r := rand.New(rand.NewPCG(seed, 0x756e61736b6564)) //nolint:gosec // repeatable, not secret
	return &Env{Rand: r, Key: token(r, 16), Salt: token(r, 12)}
}

// token is a text of letters and digits, as keys and nonces are.
func token(r *rand.Rand, n int) []byte {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	t := make([]byte, n)
	for i := range t {
		t[i] = alphabet[r.IntN(len(alphabet))]
	}
	return t
}

// All lists every disguise, each name once.
func All() []Disguise {
	return slices.Concat(spellings(), raws(), encodings(), lzstrings(), compressions(), digests(), containers())
}

// Named returns the disguise of a name.
func Named(name string) (Disguise, bool) {
	all := All()
	i := slices.IndexFunc(all, func(d Disguise) bool { return d.Name == name })
	if i < 0 {
		return Disguise{}, false
	}
	return all[i], true
}

// Planted is a value in disguise.
type Planted struct {
	Data  []byte
	Chain []string // as a finding should tell it, outermost first
	// ContentType is the outermost container's, or "".
	ContentType string
	// Keyed says that the environment's key or salt must be sent along.
	Keyed bool
}

// Plant writes a value of a kind in a chain of disguises, outermost first. It
// reports false where a disguise is not for what it would have to write, with the reason.
//
// A disguise that changes nothing (percent escapes where there is nothing to escape)
// adds nothing to the chain, for no reader could see that it was applied.
func Plant(kind string, value []byte, chain []Disguise, env *Env) (planted Planted, why string) {
	data := value
	for i, d := range slices.Backward(chain) {
		if why := unfit(d, kind, data); why != "" {
			return planted, why
		}
		written := d.Encode(data, env)
		if written == nil {
			return planted, d.Name + " is not for this value"
		}
		if !bytes.Equal(written, data) || d.Digest {
			planted.Chain = append(slices.Clone(d.Chain), planted.Chain...)
		}
		planted.Keyed = planted.Keyed || d.Keyed
		planted.ContentType = ""
		if i == 0 {
			planted.ContentType = d.ContentType
		}
		data = written
	}
	planted.Data = data
	return planted, ""
}

func unfit(d Disguise, kind string, data []byte) string {
	switch {
	case d.Kinds != nil && !slices.Contains(d.Kinds, kind):
		return d.Name + " is not for a " + kind
	case d.Text && !IsText(data):
		return d.Name + " writes text only"
	}
	return ""
}

// IsText reports whether data is valid UTF-8 without control characters, but for
// tabs and ends of lines.
func IsText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0x7f || r == utf8.RuneError
	})
}

// Names joins the names of a chain, for a test to print.
func Names(chain []Disguise) string {
	names := make([]string, len(chain))
	for i, d := range chain {
		names[i] = d.Name
	}
	return strings.Join(names, " < ")
}
