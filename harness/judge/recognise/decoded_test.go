package recognise

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/corpus"
)

// processorTime is what this process has used: what else runs on the machine says nothing.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecoded opens bodies as apps send them with every decoding and searches all that
// comes out, as an audit does: those of `make bench` together, and each kind for itself.
// cpu-MB/s counts processor time, the collector's included.
func BenchmarkDecoded(b *testing.B) {
	kb, err := knowledge.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	opener, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		b.Fatal(err)
	}
	needles := needlesFor(b, 50)
	needles.digests.table()
	headers := []flow.Header{{Name: "User-Agent", Value: "okhttp/4.12.0"}, {Name: "Accept-Encoding", Value: "gzip"}}
	bodies := corpus.New(1).Bodies(4 << 20)
	const period = 20 // of the corpus
	for _, kind := range []struct {
		name string
		at   []int // in each period; all for none
	}{{"mixed", nil}, {"events", []int{0, 3, 5, 8}}, {"form", []int{1, 7}}, {"page", []int{2, 6, 10}}, {"zipped", []int{4}}, {"picture", []int{16}}} {
		var chosen [][]byte
		size := 0
		for i, body := range bodies {
			for _, at := range kind.at {
				if i%period == at {
					chosen = append(chosen, body)
					size += len(body)
				}
			}
			if kind.at == nil {
				chosen = append(chosen, body)
				size += len(body)
			}
		}
		b.Run(kind.name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			began, rounds := processorTime(b), 0
			for b.Loop() {
				rounds++
				for i, body := range chosen {
					c := needles.Collector().Opening(opener)
					opener.Walk(unwrap.Message{URL: fmt.Sprintf("https://api.service.example/v1/events?n=%d", i), Headers: headers, Body: body}, c.Part)
					if hits := c.Hits(); len(hits) > 0 {
						b.Fatalf("nothing was planted, and %s %q was found by %v in %q", hits[0].Kind, hits[0].Value, hits[0].Chain, hits[0].Excerpt)
					}
				}
			}
			b.ReportMetric(float64(size)*float64(rounds)/1e6/(processorTime(b)-began).Seconds(), "cpu-MB/s")
		})
	}
}
