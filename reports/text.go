package reports

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// How much of each list the summary shows; the rest is counted.
const (
	textWidth    = 100
	textFindings = 20
	textHosts    = 20
	textSpots    = 12
)

// paint colours text for a terminal; without a terminal it leaves it as it is.
type paint bool

func (p paint) in(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string { return p.in("1", s) }
func (p paint) dim(s string) string  { return p.in("2", s) }

func (p paint) verdict(v judge.Verdict, s string) string {
	switch v {
	case judge.Violated:
		return p.in("1;31", s)
	case judge.Inconclusive:
		return p.in("1;33", s)
	case judge.NotObserved:
		return p.in("1;36", s) // not green: nothing seen is no praise
	}
	return p.dim(s)
}

// colours reports whether w shows colours and the person wants them.
func colours(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

func writeText(ctx context.Context, w io.Writer, in Input) error {
	rec, err := record.Read(ctx, in.Evidence, in.Judgement)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	t := text{w: b, paint: paint(colours(w)), rec: rec, j: in.Judgement, findings: number(in.Judgement)}
	t.head()
	t.questions()
	t.sent()
	t.found()
	t.blindSpots()
	t.tested()
	return b.Flush()
}

type text struct {
	w *bufio.Writer
	paint
	rec      *record.Record
	j        *judge.Judgement
	findings []numbered
}

func (t *text) printf(format string, args ...any) { fmt.Fprintf(t.w, format, args...) }

// para writes text in lines of at most textWidth, each after an indent.
func (t *text) para(indent, s string) {
	for _, line := range wrap(s, textWidth-utf8.RuneCountInString(indent)) {
		t.printf("%s%s\n", indent, line)
	}
}

func (t *text) section(title string) { t.printf("\n%s\n", t.bold(title)) }

func (t *text) head() {
	m := t.rec.Manifest
	version := ""
	if m.App.VersionName != "" {
		version = " " + inert.Line(m.App.VersionName, 40)
	}
	t.printf("%s%s  %s\n", t.bold(appName(m.App)), version, t.dim(inert.Line(m.App.Package, 120)))
	if m.Device.Simulated {
		t.printf("%s\n", t.in("1;35", SimulatedStamp))
		t.para("", simulatedNote)
	}
	if m.End.How != "" && m.End.How != evidence.Completed {
		t.para("", fmt.Sprintf("The audit did not run to its end: %s. %s", inert.Line(m.End.How, 20), inert.Line(m.End.Error, 300)))
	}
	level := explain.Ladder()[min(max(t.j.Ladder, 0), 7)]
	t.printf("\n%s  account ladder %s of L7: %s\n", t.verdict(t.j.Verdict, strings.ToUpper(inert.Line(string(t.j.Verdict), 40))), level.Name, level.What)
	t.para("", lead(t.j, m.App))
}

func (t *text) questions() {
	t.section("Without signing up, the service …")
	width := 0
	for _, q := range t.j.Questions {
		width = max(width, utf8.RuneCountInString(inert.Line(q.Title, 70)))
	}
	for _, q := range t.j.Questions {
		title := inert.Line(q.Title, 70)
		t.printf("  %s  %s%s\n", t.verdict(q.Verdict, fmt.Sprintf("%-14s", inert.Line(string(q.Verdict), 40))), title,
			suffix(strings.Repeat(" ", width-utf8.RuneCountInString(title)), t.refs(q)))
		if q.Verdict == judge.Inconclusive || q.Verdict == judge.NotApplicable {
			t.para("                  ", inert.Line(q.Because, 300))
		}
	}
}

func suffix(pad, s string) string {
	if s == "" {
		return ""
	}
	return pad + "  " + s
}

// refs names the findings that violate a question: "F1, F2".
func (t *text) refs(q judge.Question) string {
	var names []string
	for _, f := range t.findings {
		for _, v := range f.Violates {
			if v.ID == q.ID {
				names = append(names, f.Name())
			}
		}
	}
	if len(names) > 8 {
		names = append(names[:8], fmt.Sprintf("and %d more", len(names)-8))
	}
	return t.dim(strings.Join(names, ", "))
}

func (t *text) sent() {
	with, without := transfers(t.j, t.findings)
	if len(with) > 0 {
		t.section("What went to whom")
	}
	for i, tr := range with {
		if i == textHosts {
			t.printf("  … and %s\n", explain.Count(int64(len(with)-textHosts), "more host", "more hosts"))
			break
		}
		t.printf("  %s\n", explain.Recipient(tr.Host, tr.Owner, tr.Country))
		for _, it := range tr.Items {
			line := it.What
			if it.Issued {
				line += " (issued by it)"
			} else if it.How != "plain" {
				line += " (" + it.How + ")"
			}
			var when []string
			for _, c := range allConsents {
				if it.Consents[c] {
					when = append(when, explain.Consent(c))
				}
			}
			if it.Signup {
				when = append(when, "after sign-up")
			}
			if len(when) > 0 {
				line += ": " + strings.Join(when, ", ")
			}
			t.para("    ", line)
		}
	}
	if n := len(without); n > 0 {
		t.printf("  %s\n", t.dim(explain.Count(int64(n), "other host was", "other hosts were")+" sent nothing that was looked for"))
	}
}

func (t *text) found() {
	if len(t.findings) == 0 {
		return
	}
	t.section("Findings")
	for i, f := range t.findings {
		if i == textFindings {
			t.printf("  … and %s; the HTML and JSON reports hold them all\n", explain.Count(int64(len(t.findings)-textFindings), "more finding", "more findings"))
			break
		}
		mark := t.dim(f.Name())
		if len(f.Violates) > 0 {
			mark = t.in("31", f.Name())
		}
		lines := strings.Split(explain.Finding(f.Finding), "\n")
		t.printf("  %s%s %s\n", mark, strings.Repeat(" ", max(0, 3-len(f.Name()))), lines[0])
		for _, line := range lines[1:] {
			t.para("      ", line)
		}
		if f.Signup {
			t.printf("      %s\n", t.dim("after a person's own sign-up: no violation"))
		}
	}
}

func (t *text) blindSpots() {
	if len(t.j.BlindSpots) == 0 {
		return
	}
	t.section("What could not be seen")
	for i, s := range t.j.BlindSpots {
		if i == textSpots {
			t.printf("  … and %s\n", explain.Count(int64(len(t.j.BlindSpots)-textSpots), "more", "more"))
			break
		}
		t.bullet(inert.Line(s.What, 400))
		if s.Do != "" {
			t.para("    ", "what would help: "+inert.Line(s.Do, 400))
		}
	}
}

// bullet writes a paragraph behind a bullet.
func (t *text) bullet(s string) {
	for i, line := range wrap(s, textWidth-4) {
		mark := "  • "
		if i > 0 {
			mark = "    "
		}
		t.printf("%s%s\n", mark, line)
	}
}

func (t *text) tested() {
	c, d, m := t.j.Coverage, t.j.Decoys, t.rec.Manifest
	t.section("How it was tested")
	t.printf("  read        %s, %s sent\n", explain.Count(int64(c.Flows), "request", "requests"), explain.Bytes(c.Sent))
	t.printf("  not read    %s, %s sent\n", explain.Count(int64(c.Opaque), "connection", "connections"), explain.Bytes(c.OpaqueSent))
	decoys := fmt.Sprintf("%s searched for, %s", explain.Count(int64(d.Decoys), "value that was never planted", "values that were never planted"),
		explain.Count(int64(len(d.Matches)), "match", "matches"))
	if len(d.Matches) > 0 {
		decoys = t.in("1;33", decoys+": the instrument saw something that can't be there")
	}
	t.printf("  decoys      %s\n", decoys)
	t.printf("  device      %s, Android %s (API %d)\n", inert.Line(m.Device.Model, 60), inert.Line(m.Device.Release, 20), m.Device.API)
	t.printf("  protocol    %s, %s\n", inert.Line(m.Protocol, 60), m.Started.UTC().Format("2 January 2006, 15:04 UTC"))
	t.printf("  chain head  %s\n", inert.Line(string(m.Head), 64))
}

// wrap breaks text at spaces into lines of at most width characters; a longer word stays whole.
func wrap(s string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line += " "
			length++
		}
		line += word
		length += n
	}
	if length > 0 {
		lines = append(lines, line)
	}
	return lines
}
