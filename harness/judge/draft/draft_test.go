package draft

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

func random(seed byte, n int) []byte {
	r := rand.New(rand.NewChaCha8([32]byte{seed}))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func known(t testing.TB, data ...[]byte) *Finder {
	t.Helper()
	f := NewFinder()
	for i, d := range data {
		name := fmt.Sprint("draft ", i)
		if err := f.Add(Draft{Blob: evidence.Digest(name), Name: name, Event: uint64(i + 1)}, d); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestPieces(t *testing.T) {
	film := random(1, 50_000)
	f := known(t, film)
	if f.Drafts()[0].Blocks() != 50_000/Block {
		t.Fatalf("%d blocks", f.Drafts()[0].Blocks())
	}
	other := random(2, 10_000)
	for name, c := range map[string]struct {
		data        []byte
		blocks      int
		from, bytes int
	}{
		"whole":              {film, 195, 0, 50_000},
		"within others":      {append(append(bytes.Clone(other), film...), other...), 195, 10_000, 50_000},
		"at an odd place":    {film[1001:9001], 31, 0, 8000},
		"the shortest piece": {film[1 : 1+Shortest], 1, 0, Shortest},
		"too short a piece":  {film[1:256], 0, 0, 0},
		"another film":       {other, 0, 0, 0},
		"nothing":            {nil, 0, 0, 0},
		"turned round":       {append(bytes.Clone(film[25_088:]), film[:25_088]...), 195, 0, 24_912},
	} {
		pieces := f.Find(c.data)
		switch {
		case c.blocks == 0 && len(pieces) == 0:
		case len(pieces) != 1 || len(pieces[0].Blocks) != c.blocks || pieces[0].From != c.from || pieces[0].Bytes != c.bytes:
			t.Errorf("%s: %d pieces", name, len(pieces))
			for _, p := range pieces {
				t.Errorf("  %d blocks from %d, %d bytes", len(p.Blocks), p.From, p.Bytes)
			}
		}
	}
}

// Every piece of at least Shortest bytes is found, wherever it begins.
func TestEveryPieceIsFound(t *testing.T) {
	film := random(3, 8192)
	f := known(t, film)
	for from := 0; from+Shortest <= len(film); from += 37 {
		if len(f.Find(film[from:from+Shortest])) != 1 {
			t.Fatalf("the piece at %d is not found", from)
		}
	}
}

func TestWhatTellsNothing(t *testing.T) {
	silence := append(make([]byte, 20_000), random(4, 2560)...)
	f := known(t, silence)
	if got := f.Drafts()[0].Blocks(); got > 11 {
		t.Errorf("%d blocks, of which silence tells nothing", got)
	}
	if p := f.Find(make([]byte, 20_000)); len(p) != 0 {
		t.Errorf("silence is found: %+v", p)
	}
	// The clip that the app carries itself is no draft of a person's.
	film := random(5, 10_240)
	f = known(t, film)
	f.Forget(append([]byte("app"), film[:5120]...))
	if got := f.Drafts()[0].Blocks(); got != 20 {
		t.Errorf("%d blocks are left", got)
	}
	if p := f.Find(film[:5120]); len(p) != 0 {
		t.Errorf("found: %+v", p)
	}
	if p := f.Find(film); len(p) != 1 || len(p[0].Blocks) != 20 {
		t.Errorf("found: %+v", p)
	}
	if err := f.Add(Draft{Blob: "y"}, make([]byte, Longest+1)); err == nil {
		t.Error("a draft beyond the limit is taken")
	}
}

func vectors(t *testing.T, body any) []Vector {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	o, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	f := NewFeatures(kb.Features)
	o.Walk(unwrap.Message{Body: b}, f.Part)
	return f.Vectors()
}

func points(n, size int) [][]float64 {
	list := make([][]float64, n)
	for i := range list {
		for j := range size {
			list[i] = append(list[i], float64(i)/7+float64(j)/3+0.001)
		}
	}
	return list
}

func TestVectors(t *testing.T) {
	type object = map[string]any
	named := make([]object, 68)
	flat := make([]float64, 212)
	embedding := make([]float64, 128)
	for i := range named {
		named[i] = object{"x": float64(i) / 3, "y": 0.25}
	}
	for i := range flat {
		flat[i] = float64(i) / 3
	}
	inner, _ := json.Marshal(object{"landmarks": points(106, 2)})
	for name, c := range map[string]struct {
		body              any
		id, at, confident string
	}{
		"pairs":             {object{"landmarks": points(106, 2)}, "face-106", "body:$.landmarks", "high"},
		"named coordinates": {object{"face": object{"points": named}}, "face-68", "body:$.face.points", "high"},
		"three numbers":     {object{"mesh": points(468, 3)}, "face-mesh", "body:$.mesh", "high"},
		"no name":           {object{"p": points(68, 2)}, "face-68", "body:$.p", "medium"},
		"faces":             {object{"faces": []any{object{"landmarks": points(68, 2)}}}, "face-68", "body:$.faces[0].landmarks", "high"},
		"faces, bare":       {object{"faces": []any{points(68, 2)}}, "face-68", "body:$.faces[0]", "high"},
		"flat":              {object{"landmarks": flat}, "face-106", "body:$.landmarks", "high"},
		"embedding":         {object{"face_embedding": embedding}, "face-embedding", "body:$.face_embedding", "high"},
		"in base64":         {object{"d": base64.StdEncoding.EncodeToString(inner)}, "face-106", "body:$.d.landmarks", "high"},
		"a list of numbers": {object{"samples": embedding}, "", "", ""},
		"flat, no name":     {object{"samples": flat}, "", "", ""},
		"few points":        {object{"track": points(5, 2)}, "", "", ""},
		"other counts":      {object{"landmarks": points(107, 2)}, "", "", ""},
		"rows of a table":   {object{"rows": points(68, 4)}, "", "", ""},
	} {
		list := vectors(t, c.body)
		if c.id == "" {
			if len(list) != 0 {
				t.Errorf("%s: %+v", name, list)
			}
			continue
		}
		if len(list) != 1 || list[0].Feature.ID != c.id || list[0].Surface != c.at || list[0].Confidence != c.confident || !strings.Contains(list[0].Grounds, "confidence "+c.confident) {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	f := known(b, random(6, 1<<20))
	data := random(7, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f.Find(data)
	}
}
