package flow_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// A long audit is read in little memory, though one connection stays open from
// its beginning to its end.
func TestALongAuditTakesNoMemory(t *testing.T) {
	const flows = 8000 // 27 MB
	l, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string, data any) {
		if _, err := l.Append(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	headers := []flow.Header{{Name: "cookie", Value: strings.Repeat("c", 1500)}}
	add(evidence.KindRequest, flow.Request{Flow: "open", URL: "https://sse.example/"})
	for i := range flows {
		id := flow.ID(fmt.Sprint("f", i))
		add(evidence.KindRequest, flow.Request{Flow: id, URL: "https://api.example/", Headers: headers})
		add(evidence.KindResponse, flow.Response{Flow: id, Status: 200, Headers: headers})
	}
	add(evidence.KindResponse, flow.Response{Flow: "open", Status: 200})
	if err := l.Seal(evidence.Manifest{}); err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, most := 0, uint64(0)
	for f, err := range flow.Read(t.Context(), b) {
		if err != nil || f.Response == nil {
			t.Fatal(f.Request.Flow, err)
		}
		if n++; n%1000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	if n != flows+1 {
		t.Errorf("%d flows", n)
	}
	if most > before.HeapAlloc+16<<20 {
		t.Errorf("%d MB were in use, for %d flows", most>>20, flows)
	}
}
