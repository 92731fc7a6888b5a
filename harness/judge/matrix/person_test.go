package matrix

import (
	"slices"
	"sync"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// person is a device's identity, with values that no derived one has: a name and a
// mail address that ASCII can't write, a number that fits in 32 bits, and a kind
// that the knowledge does not list.
func person(seed string, extra ...canary.Canary) canary.Identity {
	id := canary.Derive([]byte(seed), "X")
	id.Canaries = append(slices.Clone(id.Canaries), extra...)
	return id
}

var (
	planted = person("the seed of the matrix",
		canary.Canary{Kind: canary.Name, Value: "Zoë Weißhäupler"},
		canary.Canary{Kind: canary.ContactEmail, Value: "post.4417@übersee-kiosk.example"},
		canary.Canary{Kind: "number", Value: "3141592653"},
		canary.Canary{Kind: "loyalty_card", Value: "LC-99185-BCL83-KX"},
	)
	// stranger is looked for by nobody.
	stranger = person("the seed of somebody else",
		canary.Canary{Kind: canary.Name, Value: "Chloé Großkötter"},
		canary.Canary{Kind: canary.ContactEmail, Value: "brief.9162@hafenübung.example"},
		canary.Canary{Kind: "number", Value: "2718281828"},
		canary.Canary{Kind: "loyalty_card", Value: "MQ-20766-ZRT51-DF"},
	)
)

// judge is what an audit looks with: the opener and the needles of the built-in knowledge.
type judge struct {
	opener  *unwrap.Opener
	needles *recognise.Needles
}

// judges looks with a judge for an audit's worth of messages. How many digests of
// salted values are computed for one audit is bounded, and each message of the matrix has
// a salt of its own.
type judges struct {
	current *judge
	seen    int // messages that the current one has looked through
	keyed   int // those of them with a key or a salt
}

// How many messages one audit's budget is enough for in which salts are looked for, as some
// do in which a digest stays unexplained; and how many salts, which is more than an app has.
const (
	mostSeen  = 1000
	mostKeyed = 200
)

func (j *judges) hits(t *testing.T, m message, keyed bool) []recognise.Hit {
	t.Helper()
	if keyed {
		j.keyed++
	}
	if j.seen++; j.current == nil || j.keyed > mostKeyed || j.seen > mostSeen {
		fresh, err := buildJudge()
		if err != nil {
			t.Fatal(err)
		}
		j.current, j.seen, j.keyed = fresh, 0, 0
	}
	return j.current.hits(m)
}

var theJudge = sync.OnceValues(buildJudge)

func buildJudge() (*judge, error) {
	kb, err := knowledge.Embedded()
	if err != nil {
		return nil, err
	}
	opener, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		return nil, err
	}
	needles, _, err := recognise.Build([]recognise.Planted{
		{Identity: planted}, {Identity: canary.Decoys([]byte("the seed of the matrix"), "X"), Decoy: true},
	}, kb)
	return &judge{opener, needles}, err
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	j, err := theJudge()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// hits looks through a message.
func (j *judge) hits(m message) []recognise.Hit {
	c := j.needles.Collector()
	if m.socket {
		j.opener.Message(0, m.Body, c.Part)
	} else {
		j.opener.Walk(m.Message, c.Part)
	}
	return c.Hits()
}

// The canaries that are planted must be ones that are looked for.
func TestNothingPlantedIsRefused(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	_, refused, err := recognise.Build([]recognise.Planted{{Identity: planted}, {Identity: stranger}}, kb)
	if err != nil || len(refused) > 0 {
		t.Errorf("refused: %v, %v", refused, err)
	}
}
