package judge

import (
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// landmarks sends the points of a face.
func (r *recording) landmarks(host string) {
	points := make([][2]float64, 106)
	for i := range points {
		points[i] = [2]float64{float64(i) / 106, 0.5}
	}
	r.ask(message{url: "https://" + host + "/v1/effects/face", headers: jsonType, body: asJSON(map[string]any{"model": "face-106", "landmarks": points})}, map[string]any{})
}

// The points of a face belong to a draft if a recording of the same arm had begun.
func TestLandmarksOfADraft(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*recording)
		want int
	}{
		"after the recording": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.draft(clip(50_000))
			r.landmarks("api.example")
		}, 1},
		"before the recording": {func(r *recording) {
			r.landmarks("api.example")
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.draft(clip(50_000))
		}, 0},
		"in a later arm": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.draft(clip(50_000))
			r.removed()
			r.launched("B")
			r.landmarks("api.example")
		}, 0},
		"in a later arm, before its own recording": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.draft(clip(50_000))
			r.removed()
			r.launched("A#2")
			r.landmarks("api.example")
			r.in("A#2", "drafted", "draft", evidence.Untouched)
			r.draft(clip(60_000))
		}, 0},
		"where no camera takes a clip": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.landmarks("api.example")
		}, 1},
		"where nothing was recorded, though the camera had a clip": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.draft(clip(50_000))
			r.landmarks("api.example")
			r.leave(false, "no button that records was found on the screen")
		}, 0},
		"where nothing was recorded": {func(r *recording) {
			r.in("A", "drafted", "draft", evidence.Untouched)
			r.landmarks("api.example")
			r.leave(false, "no button that records was found")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t).untouched().quiet()
			c.play(r)
			j := r.judge()
			if f := j.claims(FeatureVectorSent); len(f) != c.want || (j.verdict(QuestionDraft) == Violated) != (c.want > 0) {
				t.Errorf("%d findings, %s", len(f), j.verdict(QuestionDraft))
			}
		})
	}
}
