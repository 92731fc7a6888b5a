// Command matrix plays the services of package groundtruth and prints what each is
// against what it was found to be. It exits with 1 where an account is called
// something else, or something else an account.
//
//	go run ./scenarios/groundtruth/matrix [-only NAME] [-keep FOLDER] [-v]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/scenarios/groundtruth"
)

func main() {
	only := flag.String("only", "", "play the services whose name holds this")
	keep := flag.String("keep", "", "keep the evidence in this folder, absent or empty; each service's in one of its own")
	verbose := flag.Bool("v", false, "say of each service what was found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *keep, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, keep string, verbose bool) (err error) {
	kb, err := knowledge.Embedded()
	if err != nil {
		return err
	}
	world, err := groundtruth.New(ctx, kb)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	if keep == "" {
		if keep, err = os.MkdirTemp("", "unasked-groundtruth"); err != nil {
			return err
		}
		defer os.RemoveAll(keep)
	}
	var m groundtruth.Matrix
	played, skipped := 0, 0
	for _, s := range groundtruth.Services() {
		if !strings.Contains(s.Name, only) {
			continue
		}
		r, err := world.Play(ctx, s, filepath.Join(keep, s.Name))
		if errors.Is(err, groundtruth.ErrNoPages) {
			skipped++
			continue
		}
		if err != nil {
			return err
		}
		played++
		m.Add(r)
		if verbose {
			fmt.Printf("%-26s %-13s found %-13s %s\n", s.Name, s.Label, r.Found, s.About)
		}
	}
	if played+skipped == 0 {
		return fmt.Errorf("no service's name holds %q", only)
	}
	if err := m.Write(os.Stdout); err != nil {
		return err
	}
	if skipped > 0 {
		fmt.Printf("%d services were not played: their pages need Chromium and npm\n", skipped)
	}
	if n := len(m.Grave()); n > 0 {
		return fmt.Errorf("%d services are called an account and are none, or are one and are not", n)
	}
	return nil
}
