package judge

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// BenchmarkSightings searches recorded traffic, JSON in both directions, from the log and
// the blobs to the last sighting.
func BenchmarkSightings(b *testing.B) {
	kb, err := base()
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{2 << 10, 20 << 10, 200 << 10} {
		b.Run(fmt.Sprintf("%dkB", size>>10), func(b *testing.B) {
			const all = 32 << 20
			dir := filepath.Join(b.TempDir(), "bundle")
			log, err := evidence.Create(dir, nil)
			if err != nil {
				b.Fatal(err)
			}
			person := canary.Derive([]byte("bench"), "X")
			for i := range all / size {
				var body bytes.Buffer
				body.WriteString(`{"events":[`)
				for n := 0; body.Len() < size-200; n++ {
					fmt.Fprintf(&body, `{"name":"screen_view","ts":%d,"properties":{"screen":"Home feed %d","duration_ms":%d,"experiment":"variant-b"}},`, 1700000000000+int64(i)*1000+int64(n), n, n*37%9973)
				}
				fmt.Fprintf(&body, `{"device":%q}]}`, person.Value(canary.SSAID))
				d, n, err := log.PutBlob(&body)
				if err != nil {
					b.Fatal(err)
				}
				id := flow.ID(fmt.Sprint("f", i))
				if i%2 == 0 {
					_, err = log.Append(evidence.KindRequest, flow.Request{Flow: id, Method: "POST", URL: "https://log.example/v1/batch", Headers: jsonType, Body: flow.Body{Blob: d, Size: n}})
				} else {
					_, err = log.Append(evidence.KindResponse, flow.Response{Flow: id, Status: 200, Headers: jsonType, Body: flow.Body{Blob: d, Size: n}})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			if err := log.Seal(evidence.Manifest{Identity: person, Decoys: canary.Decoys([]byte("bench"), "X")}); err != nil {
				b.Fatal(err)
			}
			ev, err := evidence.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(all)
			b.ReportAllocs()
			for b.Loop() {
				found := 0
				for _, err := range Sightings(context.Background(), ev, kb) {
					if err != nil {
						b.Fatal(err)
					}
					found++
				}
				if found < all/size {
					b.Fatalf("%d sightings", found)
				}
			}
		})
	}
}
