// Command bench measures unasked against other programs, on one machine, in one run.
//
//	go run . -table ../docs/performance.md
//
// Each row is a ratio between ours and a peer's, measured in turns, so that a machine
// that is busy or slow counts for both. The exit code is 1 where a ratio misses its
// target. Programs that it measures against: mitmdump, rg, androguard, node and npm, and as a
// module goproxy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// lab is what every measurement needs.
type lab struct {
	root  string // of the repository
	dir   string // for what is recorded; taken away at the end
	quick bool   // short rounds, for developing: its numbers mean little
	table table
}

// measurement is one part of the benchmarks.
type measurement struct {
	name string
	run  func(ctx context.Context, l *lab) error
}

var measurements = []measurement{
	// First: Linux counts what the process that starts another holds as the other's memory.
	{"inspect", measureInspect},
	{"proxy", measureProxy},
	{"memory", measureMemory},
	{"recognition", measureRecognition},
	{"trackhar", measureTrackHAR},
	{"audit", measureAudit},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" { // a proxy, in a process of its own
		exit(serve(os.Args[2:]))
	}
	root := flag.String("root", "..", "the repository's `folder`")
	page := flag.String("table", "", "the `page` whose table is replaced; none is printed only")
	only := flag.String("only", "", "the `names` of measurements, with commas; all without")
	quick := flag.Bool("quick", false, "short rounds: to see that all of it works")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(bench(ctx, &lab{root: *root, quick: *quick}, *only, *page))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func bench(ctx context.Context, l *lab, only, page string) (err error) {
	if l.root, err = filepath.Abs(l.root); err != nil {
		return err
	}
	if l.dir, err = os.MkdirTemp("", "unasked-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.dir) //nolint:errcheck // a temporary folder
	began := time.Now()
	for _, m := range measurements {
		if only != "" && !strings.Contains(","+only+",", ","+m.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", m.name)
		if err := m.run(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	fmt.Print(l.table.text())
	fmt.Fprintf(os.Stderr, "in %v\n", time.Since(began).Round(time.Second))
	if page != "" {
		if err := l.table.write(page, machine(ctx)); err != nil {
			return err
		}
	}
	return l.table.missed()
}
