package judge_test

import (
	"context"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/recording"
)

// A recording without an entry says nothing of the app.
func TestNothingToJudge(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recording.File(context.Background(), strings.NewReader(`{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[]}}`),
		recording.Options{Name: "empty.har", Identity: canary.Derive([]byte("nothing to judge"), "A")})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	j, err := judge.Judge(context.Background(), rec, kb)
	if err != nil {
		t.Fatal(err)
	}
	if j.Verdict != judge.Inconclusive || len(j.BlindSpots) == 0 || !strings.Contains(j.BlindSpots[0].What, "nothing to judge") {
		t.Errorf("%s, blind spots %+v", j.Verdict, j.BlindSpots)
	}
}
