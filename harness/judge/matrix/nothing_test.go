package matrix

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/internal/disguise"
)

// The same messages with a stranger's values in them: nobody planted them, so each
// hit is a false one.
func TestStrangersAreNotFound(t *testing.T) {
	j := newJudge(t)
	n, wrong := 0, 0
	look := func(s specimen) {
		n++
		for _, h := range j.hits(s.message) {
			if wrong++; wrong <= 20 {
				t.Errorf("%v: %s %q was found by %v, variant %q: %q", s, h.Kind, h.Value, h.Chain, h.Variant, h.Excerpt)
			}
		}
	}
	all := disguise.All()
	for _, d := range all {
		for i, s := range specimens(stranger, []disguise.Disguise{d}, 0) {
			if i%share == 0 {
				look(s)
			}
		}
	}
	i := 0
	for _, outer := range all {
		for _, inner := range all {
			chain := []disguise.Disguise{outer, inner}
			if disguise.Senseless(chain) != "" {
				continue
			}
			// The pairs themselves are twice the matrix; every third says enough here.
			if i++; i%(3*share) == 0 {
				for _, s := range specimens(stranger, chain, 1) {
					look(s)
				}
			}
		}
	}
	for chain := range triples(1000 / share) {
		for _, s := range specimens(stranger, chain, 1) {
			look(s)
		}
	}
	t.Logf("%d messages, %d false hits", n, wrong)
}

// trafficSize is how much random traffic is looked through, in bytes.
const trafficSize = 50 << 20 / trafficShare

// Random traffic: bytes as they come out of encryption, base64 and hexadecimal digits
// of such bytes, and JSON, forms and cookies full of identifiers that nobody planted.
func TestRandomTrafficHoldsNothing(t *testing.T) {
	j := newJudge(t)
	r := rand.New(rand.NewPCG(50, 20)) //nolint:gosec // repeatable, not secret
	source := rand.NewChaCha8([32]byte{50})
	random := func(n int) []byte {
		b := make([]byte, n)
		_, _ = source.Read(b) // it never fails
		return b
	}
	for size, i := 0, 0; size < trafficSize; i++ {
		m := message{Message: unwrap.Message{URL: "https://cdn.service.example/v2/" + hex.EncodeToString(random(16)) + "?t=" + base64.RawURLEncoding.EncodeToString(random(24))}}
		switch i % 5 {
		case 0:
			m.Body = random(64 << 10)
		case 1:
			m.Body = []byte(base64.StdEncoding.EncodeToString(random(48 << 10)))
		case 2:
			m.Body = []byte(hex.EncodeToString(random(32 << 10)))
		case 3:
			m.Body = manyIDs(r, random)
		case 4:
			m.Body = random(64 << 10)
			m.socket = true
		}
		m.Headers = []flow.Header{{Name: "Cookie", Value: "sid=" + hex.EncodeToString(random(32)) + "; t=" + base64.StdEncoding.EncodeToString(random(32))}}
		size += len(m.Body)
		for _, h := range j.hits(m) {
			t.Errorf("%s %q was found in random traffic by %v, variant %q, at %s: %q", h.Kind, h.Value, h.Chain, h.Variant, h.Surface, h.Excerpt)
		}
	}
}

// manyIDs is a JSON body of about 64 KB with identifiers of all forms in it.
func manyIDs(r *rand.Rand, random func(int) []byte) []byte {
	var b strings.Builder
	b.WriteString(`{"events":[`)
	for i := range 180 {
		if i > 0 {
			b.WriteByte(',')
		}
		id := random(16)
		fmt.Fprintf(&b, `{"id":"%x-%x-%x-%x-%x","session":"%x","at":%d,"imei":"%015d","phone":"+1%010d","lat":%.6f,"lon":%.6f,"mac":"%s","token":"%s","hash":"%x"}`,
			id[:4], id[4:6], id[6:8], id[8:10], id[10:], random(8), 1_700_000_000_000+r.Int64N(1e10), r.Int64N(1e15), r.Int64N(1e10),
			r.Float64()*180-90, r.Float64()*360-180, colons(random(6)), base64.StdEncoding.EncodeToString(random(60)), random(32))
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func colons(b []byte) string {
	s := hex.EncodeToString(b)
	return strings.Join(slices.Collect(func(yield func(string) bool) {
		for i := 0; i+2 <= len(s) && yield(s[i:i+2]); i += 2 {
		}
	}), ":")
}

// Decoys are looked for, so that an audit can count what is found by chance.
func TestDecoysAreLookedFor(t *testing.T) {
	j := newJudge(t)
	decoys := canary.Decoys([]byte("the seed of the matrix"), "X")
	for _, s := range specimens(decoys, []disguise.Disguise{mustName(t, "base64/std"), mustName(t, "sha256/hex")}, 0) {
		hits := j.hits(s.message)
		if !slices.ContainsFunc(hits, func(h recognise.Hit) bool { return h.Decoy && h.Value == s.Value }) {
			t.Errorf("%v: the decoy was not found", s)
		}
	}
}

func mustName(t *testing.T, name string) disguise.Disguise {
	t.Helper()
	d, ok := disguise.Named(name)
	if !ok {
		t.Fatalf("no disguise is named %q", name)
	}
	return d
}
