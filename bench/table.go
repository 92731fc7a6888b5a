package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one result.
type row struct {
	what  string // is measured
	ours  string // with its unit
	peer  string // which program, and its number
	ratio string
	goal  string
	ok    bool
}

// table is all results, in the order in which they were measured.
type table struct{ rows []row }

// ratio adds a row that wants ours to be at least goal times the peer's.
func (t *table) ratio(what, unit, peer string, ours, theirs, goal float64) {
	r := ours / theirs
	t.rows = append(t.rows, row{
		what: what, ours: number(ours) + " " + unit, peer: peer + " " + number(theirs),
		ratio: fmt.Sprintf("%.2f ×", r), goal: fmt.Sprintf("≥ %g ×", goal), ok: r >= goal,
	})
}

// most adds a row that wants a value to be at most goal.
func (t *table) most(what, unit string, value, goal float64) {
	t.rows = append(t.rows, row{
		what: what, ours: number(value) + " " + unit, peer: "–", ratio: "–", goal: fmt.Sprintf("≤ %g %s", goal, unit), ok: value <= goal,
	})
}

// least adds a row that wants a value to be at least goal.
func (t *table) least(what, unit string, value, goal float64) {
	t.rows = append(t.rows, row{
		what: what, ours: number(value) + " " + unit, peer: "–", ratio: "–", goal: fmt.Sprintf("≥ %g %s", goal, unit), ok: value >= goal,
	})
}

// seen adds a row that wants nothing: a yardstick.
func (t *table) seen(what, unit, peer string, ours, theirs float64) {
	t.rows = append(t.rows, row{
		what: what, ours: number(ours) + " " + unit, peer: peer + " " + number(theirs), ratio: fmt.Sprintf("%.2f ×", ours/theirs), goal: "–", ok: true,
	})
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v >= 1000:
		s := fmt.Sprintf("%.0f", v)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (r row) verdict() string {
	if r.ok {
		return "yes"
	}
	return "NO"
}

// text is the table for a terminal.
func (t *table) text() string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "what\tours\tpeer\tratio\tgoal\tmet")
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.what, r.ours, r.peer, r.ratio, r.goal, r.verdict())
	}
	_ = w.Flush() // into a buffer
	return b.String()
}

// The lines between which a page's table stands.
const (
	tableBegins = "<!-- make bench writes what follows -->\n"
	tableEnds   = "<!-- up to here -->"
)

// write replaces the table in a page and keeps the text around it.
func (t *table) write(page, machine string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(old), tableBegins)
	_, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q: put them where the table is to stand", page, strings.TrimSpace(tableBegins), tableEnds)
	}
	var b strings.Builder
	b.WriteString(before + tableBegins + "\n" + machine + "\n\n")
	b.WriteString("| what | unasked | measured against | ratio | goal | met |\n|---|---|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.what, r.ours, r.peer, r.ratio, r.goal, r.verdict())
	}
	b.WriteString("\n" + tableEnds + after)
	return os.WriteFile(page, []byte(b.String()), 0o644) //nolint:gosec // documentation
}

// missed is an error that names what fell short, or nil.
func (t *table) missed() error {
	var errs []error
	for _, r := range t.rows {
		if !r.ok {
			errs = append(errs, fmt.Errorf("missed: %s: %s against %s, %s, wanted %s", r.what, r.ours, r.peer, r.ratio, r.goal))
		}
	}
	return errors.Join(errs...)
}

// machine says on what was measured, when, and against which versions.
func machine(ctx context.Context) string {
	processor := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	versions := []string{runtime.Version()}
	for _, p := range [][]string{{"mitmdump", "--version"}, {"rg", "--version"}, {"node", "--version"}} {
		out, err := exec.CommandContext(ctx, p[0], p[1]).Output()
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(out), "\n")
		versions = append(versions, strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(p[0]+" "+first, "rg "), "mitmdump ")))
	}
	versions = append(versions, "goproxy "+moduleVersion("github.com/elazarl/goproxy"), "trackhar "+trackharVersion)
	return fmt.Sprintf("Measured on %s on %d cores of %s, %s: %s.",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), processor, runtime.GOOS, strings.Join(versions, ", "))
}
