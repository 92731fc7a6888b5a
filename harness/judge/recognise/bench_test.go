package recognise

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// people are so many identities of one value each, of all kinds in turn.
func people(n int) []Planted {
	var out []Planted
	for i := 0; len(out) < n; i++ {
		id := canary.Derive(fmt.Appendf(nil, "person %d", i), "X")
		for _, c := range id.Canaries {
			if len(out) < n {
				out = append(out, Planted{Identity: canary.Identity{Label: "X", Canaries: []canary.Canary{c}}})
			}
		}
	}
	return out
}

func needlesFor(t testing.TB, n int) *Needles {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	needles, _, err := Build(people(n), kb)
	if err != nil {
		t.Fatal(err)
	}
	return needles
}

// traffic is text as apps send it: JSON of events with ids, numbers, words and URLs, forms,
// now and then a token, a digest or a picture in base64.
func traffic(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"session_start", "app_open", "screen", "home", "settings", "video", "player", "network", "wifi", "en_US", "Europe/Berlin", "Pixel 7", "android", "release-keys", "com.example.app", "button", "purchase", "impression", "https://cdn.example.com/assets/v2/img", "true", "false"}
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	var b bytes.Buffer
	for b.Len() < size {
		switch r.IntN(40) {
		case 0:
			fmt.Fprintf(&b, `{"picture":"%s"}`+"\n", base64.StdEncoding.EncodeToString(random(2048)))
		case 1, 2:
			fmt.Fprintf(&b, "a=%d&sig=%x&token=%s&lang=en&t=%d\n", r.Uint32(), random(32), base64.RawURLEncoding.EncodeToString(random(64)), r.Uint64()>>20)
		default:
			u := random(16)
			fmt.Fprintf(&b, `{"event":%q,"ts":%d,"id":"%x-%x-%x-%x-%x","props":{%q:%q,"n":%d,"ratio":%.4f,"items":[1,2,3],"path":"/%s/%s/%d"}},`+"\n",
				words[r.IntN(len(words))], 1718000000000+r.Int64N(1e9), u[:4], u[4:6], u[6:8], u[8:10], u[10:],
				words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(1000), r.Float64(), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(100000))
		}
	}
	return b.Bytes()[:size]
}

// binary are bytes as pictures and compressed bodies have them.
func binaryData(size int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32() >> 7)
	}
	return b
}

const benchSize = 16 << 20

func benchmarkScan(b *testing.B, identities int) {
	n := needlesFor(b, identities)
	for _, kind := range []struct {
		name string
		data []byte
	}{{"text", traffic(benchSize)}, {"binary", binaryData(benchSize)}, {"base64", []byte(base64.StdEncoding.EncodeToString(binaryData(benchSize / 4 * 3)))}, {"hex", []byte(hex.EncodeToString(binaryData(benchSize / 2)))}} {
		b.Run(kind.name, func(b *testing.B) {
			b.SetBytes(int64(len(kind.data)))
			for b.Loop() {
				n.Scan(kind.data, func(Match) {})
			}
		})
	}
}

func BenchmarkScan10(b *testing.B)   { benchmarkScan(b, 10) }
func BenchmarkScan50(b *testing.B)   { benchmarkScan(b, 50) }
func BenchmarkScan1000(b *testing.B) { benchmarkScan(b, 1000) }

// BenchmarkBuild1000 builds the tables for a thousand identities and reports how much
// memory they hold, in megabytes.
func BenchmarkBuild1000(b *testing.B) {
	kb, err := knowledge.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	ids := people(1000)
	var before, after runtime.MemStats
	var n *Needles
	for b.Loop() {
		n = nil
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		if n, _, err = Build(ids, kb); err != nil {
			b.Fatal(err)
		}
		n.digests.table() // which the first message makes
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/1e6, "MB-made")
	b.ReportMetric(float64(len(n.needles)), "needles")
	b.ReportMetric(float64(len(n.spellings)), "spellings")
	runtime.KeepAlive(n)
}

// BenchmarkRipgrep searches the same text for the same needles, digests among them, with
// `rg -c -F -f`, on one core, for comparison.
func BenchmarkRipgrep(b *testing.B) {
	rg, err := exec.LookPath("rg")
	if err != nil {
		b.Skip("ripgrep is not installed")
	}
	n := needlesFor(b, 50)
	dir := b.TempDir()
	list, data := filepath.Join(dir, "needles"), filepath.Join(dir, "data")
	if err := os.WriteFile(list, n.Lines(800), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(data, traffic(16*benchSize), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(16 * benchSize)
	for b.Loop() {
		start := time.Now()
		out, err := exec.Command(rg, "-j1", "-a", "-c", "-F", "-f", list, data).Output()
		if err != nil && len(out) > 0 {
			b.Fatal(err)
		}
		b.ReportMetric(float64(16*benchSize)/1e6/time.Since(start).Seconds(), "MB/s-last")
	}
	b.ReportMetric(float64(min(800, len(n.needles))), "needles")
}

// Lines are up to most needles that are printable, one a line, for other programs.
func (n *Needles) Lines(most int) []byte {
	var out bytes.Buffer
	step := max(1, len(n.needles)/most)
	for i := 0; i < len(n.needles); i += step {
		if t := n.text(i); text(t) && !bytes.ContainsAny(t, "\r\n") {
			out.Write(append(t[:len(t):len(t)], '\n'))
		}
	}
	return out.Bytes()
}

// BenchmarkGrowth reports how many times as long a thousand identities take as ten: the
// best of the rounds of each, taken in turns.
func BenchmarkGrowth(b *testing.B) {
	few, many := needlesFor(b, 10), needlesFor(b, 1000)
	for name, data := range map[string][]byte{"text": traffic(8 << 20), "binary": binaryData(8 << 20)} {
		b.Run(name, func(b *testing.B) {
			best := [2]time.Duration{1 << 40, 1 << 40}
			for b.Loop() {
				for i, n := range []*Needles{few, many} {
					start := time.Now()
					n.Scan(data, func(Match) {})
					best[i] = min(best[i], time.Since(start))
				}
			}
			b.ReportMetric(float64(best[1])/float64(best[0]), "times")
		})
	}
}
