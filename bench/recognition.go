package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/corpus"
	"github.com/unasked-audit/unasked/internal/disguise"
)

// The targets of recognition.
const (
	corpusSize   = 128 << 20 // bytes
	fewest, most = 10, 1000  // identities between which the cost must not grow
	slowdown     = 1.20      // times at most
	buildTime    = 1000      // ms, for 1,000 identities
	buildMemory  = 200       // MB, for 1,000 identities
	decodedRate  = 100       // MB/s with all decodings, on one core
)

// measureRecognition searches the same bodies as rg does, on one core each. What is
// measured is processor time, the collector's included, so that what else runs on the
// machine says nothing.
func measureRecognition(ctx context.Context, l *lab) error {
	kb, err := knowledge.Embedded()
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	size, rounds := corpusSize, 5
	if l.quick {
		size, rounds = size/4, 2
	}
	bodies := corpus.New(1).Bodies(size)
	size = 0
	for _, b := range bodies {
		size += len(b) + 1
	}
	if err := l.againstRipgrep(ctx, kb, bodies, size, rounds); err != nil {
		return err
	}
	if err := l.growth(kb, bodies, size, rounds); err != nil {
		return err
	}
	return l.decoded(kb, bodies, size, rounds)
}

// identities are values of all kinds, so many of them.
func identities(n int) []canary.Canary {
	var list []canary.Canary
	for i := 0; len(list) < n; i++ {
		list = append(list, canary.Derive([]byte("the seed of the benchmarks"), "P"+strconv.Itoa(i)).Canaries...)
	}
	return list[:n]
}

func build(kb *knowledge.Base, values []canary.Canary) (*recognise.Needles, error) {
	n, refused, err := recognise.Build([]recognise.Planted{{Identity: canary.Identity{Label: "X", Canaries: values}}}, kb)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("%d values were refused, such as %v", len(refused), refused[0])
	}
	if err != nil {
		return nil, err
	}
	// The table of digests is made when something first looks like one; it counts as well.
	n.Scan(bytes.Repeat([]byte("0123456789abcdef"), 4), func(recognise.Match) {})
	return n, nil
}

// againstRipgrep plants a needle in every hundredth body, so that both can be seen to find them.
func (l *lab) againstRipgrep(ctx context.Context, kb *knowledge.Base, bodies [][]byte, size, rounds int) error {
	values := identities(50)
	needles, err := build(kb, values)
	if err != nil {
		return err
	}
	texts := needleTexts(values, needles)
	bodies = slices.Clone(bodies)
	planted := 0
	for i := 0; i < len(bodies); i += 100 {
		bodies[i] = slices.Concat([]byte(`{"planted":"`), texts[(i*7919)%len(texts)], []byte(`"}`), bodies[i])
		planted++
	}
	corpusFile, needleFile := filepath.Join(l.dir, "bodies"), filepath.Join(l.dir, "needles")
	empty := filepath.Join(l.dir, "empty")
	err = errors.Join(writeLines(corpusFile, bodies), writeLines(needleFile, texts), os.WriteFile(empty, nil, 0o600))
	if err != nil {
		return err
	}
	var ours, theirs []float64
	for range rounds {
		began := processorTime()
		n := 0
		for _, b := range bodies {
			hit := false
			// Half a place and the like are shown too, and count only beside another sign.
			needles.Scan(b, func(m recognise.Match) { hit = hit || m.Half == "" })
			if hit {
				n++
			}
		}
		ours = append(ours, rate(size, processorTime()-began))
		if n != planted {
			return fmt.Errorf("ours found %d bodies, %d were planted", n, planted)
		}
		start, _, err := ripgrep(ctx, needleFile, empty) // what it takes to build its tables
		if err != nil {
			return err
		}
		took, n, err := ripgrep(ctx, needleFile, corpusFile)
		if err != nil {
			return err
		}
		theirs = append(theirs, rate(size, took-start))
		if n != planted {
			return fmt.Errorf("rg found %d bodies, %d were planted", n, planted)
		}
	}
	l.table.ratio(fmt.Sprintf("recognition, plain pass, 50 identities (%s needles for rg)", number(float64(len(texts)))), "MB/s", "rg -j1 -c -F -f", median(ours), median(theirs), 1)
	return nil
}

func rate(size int, took time.Duration) float64 { return float64(size) / 1e6 / took.Seconds() }

// needleTexts writes values in every disguise that is a text of its own on one line.
// What the plain pass leaves to a decoding, such as HTML's entities, is no needle, and
// rg is not asked for it either: both look for the same.
func needleTexts(values []canary.Canary, needles *recognise.Needles) [][]byte {
	var list [][]byte
	seen := map[string]bool{}
	for _, c := range values {
		for _, d := range disguise.All() {
			if d.Container || d.Keyed || d.Binary {
				continue
			}
			one, why := disguise.Plant(string(c.Kind), []byte(c.Value), []disguise.Disguise{d}, disguise.NewEnv(1))
			other, _ := disguise.Plant(string(c.Kind), []byte(c.Value), []disguise.Disguise{d}, disguise.NewEnv(2))
			text := string(one.Data)
			if why != "" || !bytes.Equal(one.Data, other.Data) || len(text) < 8 || seen[text] || strings.ContainsAny(text, "\r\n\"") {
				continue
			}
			seen[text] = true
			found := false
			needles.Scan(one.Data, func(recognise.Match) { found = true })
			if found {
				list = append(list, one.Data)
			}
		}
	}
	return list
}

func writeLines(path string, lines [][]byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for _, line := range lines {
		_, _ = w.Write(line) // Flush tells
		_ = w.WriteByte('\n')
	}
	return errors.Join(w.Flush(), f.Close())
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for an argument that is none
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ripgrep counts the lines of a file that hold a needle, and tells the processor time.
func ripgrep(ctx context.Context, needles, file string) (time.Duration, int, error) {
	cmd := exec.CommandContext(ctx, "rg", "-j1", "-c", "--include-zero", "-F", "-f", needles, file)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 { // nothing found
		err = nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("rg: %w", err)
	}
	n := 0
	if text := strings.TrimSpace(string(out)); text != "" {
		if n, err = strconv.Atoi(text); err != nil {
			return 0, 0, fmt.Errorf("rg answered %q: %w", out, err)
		}
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), n, nil
}

// growth compares the plain pass with few and with many identities, and builds the tables for many.
func (l *lab) growth(kb *knowledge.Base, bodies [][]byte, size, rounds int) error {
	few, err := build(kb, identities(fewest))
	if err != nil {
		return err
	}
	values := identities(most)
	var many *recognise.Needles
	var took []float64
	kept, peak, err := memoryOf(func() error {
		for range min(rounds, 3) {
			many = nil
			runtime.GC()
			began := processorTime()
			if many, err = build(kb, values); err != nil {
				return err
			}
			took = append(took, float64((processorTime() - began).Milliseconds()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var a, b []float64
	pass := func(n *recognise.Needles) float64 {
		began := processorTime()
		for _, body := range bodies {
			n.Scan(body, func(recognise.Match) {})
		}
		return rate(size, processorTime()-began)
	}
	for range rounds {
		a, b = append(a, pass(few)), append(b, pass(many))
	}
	runtime.KeepAlive(many)
	l.table.ratio("recognition, plain pass, 1,000 identities", "MB/s", "itself with 10 identities", median(b), median(a), number2(1/slowdown))
	l.table.most("recognition, tables for 1,000 identities", "ms", median(took), buildTime)
	l.table.most("recognition, memory while these are built", "MB", float64(peak)/1e6, buildMemory)
	l.table.rows = append(l.table.rows, row{what: "recognition, memory of these", ours: number(float64(kept)/1e6) + " MB", peer: "–", ratio: "–", goal: "–", ok: true})
	return nil
}

// number2 cuts a goal to two decimals.
func number2(v float64) float64 { return float64(int(v*100)) / 100 }

// memoryOf is how much memory a function's result keeps, and the most that the heap
// grew by while it ran, in bytes.
func memoryOf(f func() error) (kept, peak int64, err error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := int64(m.HeapAlloc)
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, int64(m.HeapInuse)-before)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	err = f()
	close(done)
	group.Wait()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) - before, peak, err
}

// decoded opens every body as an audit does, with every decoding that the knowledge lists.
func (l *lab) decoded(kb *knowledge.Base, bodies [][]byte, size, rounds int) error {
	needles, err := build(kb, identities(50))
	if err != nil {
		return err
	}
	opener, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		return err
	}
	headers := []flow.Header{{Name: "User-Agent", Value: "okhttp/4.12.0"}, {Name: "Accept-Encoding", Value: "gzip"}}
	var rates []float64
	for range rounds {
		began := processorTime()
		for _, b := range bodies {
			c := needles.Collector()
			opener.Walk(unwrap.Message{URL: "https://api.service.example/v1/events", Headers: headers, Body: b}, c.Part)
			if hits := c.Hits(); len(hits) > 0 {
				return fmt.Errorf("a body in which nothing was planted holds %s %q by %v: %q", hits[0].Kind, hits[0].Value, hits[0].Chain, hits[0].Excerpt)
			}
		}
		rates = append(rates, rate(size, processorTime()-began))
	}
	l.table.least("recognition, all decodings, one core", "MB/s", median(rates), decodedRate)
	return nil
}
