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
	textWidth    = 100 // columns where there is no terminal to ask
	textNarrow   = 40  // columns below which no line is broken any more
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

// columns is how wide the terminal is that w is; textWidth for anything else.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return textWidth
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return textWidth
	}
	return max(n, textNarrow)
}

func writeText(ctx context.Context, w io.Writer, in Input) error {
	rec, err := record.Read(ctx, in.Evidence, in.Judgement)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	t := text{w: b, width: columns(w), paint: paint(colours(w)), rec: rec, j: in.Judgement, findings: number(in.Judgement)}
	t.head()
	t.questions()
	t.sent()
	t.found()
	t.dossier()
	t.blindSpots()
	t.closed()
	t.tested()
	return b.Flush()
}

type text struct {
	w     *bufio.Writer
	width int // of a line, in columns
	paint
	rec      *record.Record
	j        *judge.Judgement
	findings []numbered
}

func (t *text) printf(format string, args ...any) { fmt.Fprintf(t.w, format, args...) }

// para writes text in lines of at most the width, each after an indent.
func (t *text) para(indent, s string) { t.hang(indent, indent, s, nil) }

// hang writes text in lines of at most the width, the first behind a mark and the others behind an indent. The
// text of each line is painted, unless paint is nil.
func (t *text) hang(mark, indent, s string, paint func(string) string) {
	for i, line := range wrap(s, t.width-utf8.RuneCountInString(indent)) {
		if paint != nil {
			line = paint(line)
		}
		if i > 0 {
			mark = indent
		}
		t.printf("%s%s\n", mark, line)
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
	t.printf("\n%s\n", t.verdict(t.j.Verdict, strings.ToUpper(inert.Line(string(t.j.Verdict), 40))))
	t.para("", fmt.Sprintf("Account ladder: %s of L7, %s.", level.Name, strings.ToLower(level.What[:1])+level.What[1:]))
	t.para("", lead(t.j, m.App))
	t.para("", "Coverage: "+explain.Coverage(t.j.Coverage)+".")
}

func (t *text) questions() {
	t.section("Without signing up, the service …")
	t.hang("", "", explain.Promises, t.dim)
	width := 0
	for _, q := range t.j.Questions {
		width = max(width, utf8.RuneCountInString(explain.Promise(q)))
	}
	indent := strings.Repeat(" ", 18)
	for _, q := range t.j.Questions {
		said := explain.Promise(q)
		said += suffix(strings.Repeat("\u00a0", width-utf8.RuneCountInString(said)), t.refs(q))
		mark := "  " + t.verdict(q.Verdict, fmt.Sprintf("%-14s", inert.Line(string(q.Verdict), 40))) + "  "
		t.hang(mark, indent, said, nil)
		if q.Verdict == judge.Inconclusive || q.Verdict == judge.NotApplicable {
			t.hang(indent, indent, explain.Line(q.Because, 300), t.dim)
		}
	}
}

func suffix(pad, s string) string {
	if s == "" {
		return ""
	}
	return pad + "\u00a0 " + s
}

// refs names the findings that violate a question: "F1, F3–F7".
func (t *text) refs(q judge.Question) string {
	var violating []numbered
	for _, f := range t.findings {
		for _, v := range f.Violates {
			if v.ID == q.ID {
				violating = append(violating, f)
			}
		}
	}
	return ranges(violating)
}

func (t *text) sent() {
	with, without := transfers(t.j, t.findings)
	if len(with)+len(without) > 0 {
		t.section("What went to whom")
	}
	for i, tr := range with {
		if i == textHosts {
			t.printf("  … and %s\n", explain.Count(int64(len(with)-textHosts), "more host", "more hosts"))
			break
		}
		t.para("  ", explain.Recipient(tr.Host, tr.Owner, tr.Country))
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
			t.hang("    ", "      ", line, nil)
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
		t.hang("  "+mark+strings.Repeat(" ", max(0, 3-len(f.Name())))+" ", "      ", lines[0], nil)
		for _, line := range lines[1:] {
			t.para("      ", line)
		}
		for _, line := range t.more(f.Finding) {
			t.hang("      ", "        ", line, t.dim)
		}
		if f.Signup {
			t.printf("      %s\n", t.dim("after a person's own sign-up: no violation"))
		}
	}
}

func (t *text) blindSpots() {
	hiding, noted := explain.Hiding(t.j)
	t.spots("What could not be seen", hiding)
	t.spots("Noted; it changes no answer", noted)
}

func (t *text) spots(title string, spots []judge.BlindSpot) {
	if len(spots) == 0 {
		return
	}
	t.section(title)
	for i, s := range spots {
		if i == textSpots {
			t.printf("  … and %s\n", explain.Count(int64(len(spots)-textSpots), "more", "more"))
			break
		}
		t.hang("  • ", "    ", explain.Line(s.What, 400), nil)
		if s.Do != "" && len(s.Hides) > 0 {
			t.para("    ", "what would help: "+inert.Line(s.Do, 400))
		}
	}
}

// closed lists what could not be read, by destination.
func (t *text) closed() {
	if len(t.j.Opaque) == 0 {
		return
	}
	t.section("Sent, and not readable")
	for i, o := range t.j.Opaque {
		if i == textHosts {
			t.printf("  … and %s\n", explain.Count(int64(len(t.j.Opaque)-textHosts), "more destination", "more destinations"))
			break
		}
		var in []string
		if o.Requests > 0 {
			in = append(in, explain.Count(int64(o.Requests), "request", "requests"))
		}
		if o.Connections > 0 {
			in = append(in, explain.Count(int64(o.Connections), "connection", "connections"))
		}
		line := fmt.Sprintf("%s: %s in %s", explain.Recipient(o.Host, o.Owner, o.Country), explain.Bytes(o.Bytes), join(in, "and"))
		if when := explain.Consent(o.Consent); when != "" {
			line += ", " + when
		}
		t.hang("  • ", "    ", line, nil)
	}
}

func (t *text) tested() {
	c, d, m := t.j.Coverage, t.j.Decoys, t.rec.Manifest
	t.section("How it was tested")
	t.row("read", fmt.Sprintf("%s, %s sent", explain.Count(int64(c.Flows), "request", "requests"), explain.Bytes(c.Sent)), nil)
	unread := fmt.Sprintf("%s, %s sent", explain.Count(int64(unread(t.rec, t.j)), "connection", "connections"), explain.Bytes(c.OpaqueSent))
	if n := t.rec.Spare; n > 0 {
		unread += fmt.Sprintf("; %s opened by the app and not needed", explain.Count(int64(n), "more was", "more were"))
	}
	t.row("not read", unread, nil)
	if n := len(t.j.Names); n > 0 {
		t.row("names", fmt.Sprintf("%s asked for, %d without a request that was read", explain.Count(int64(n), "name was", "names were"), neverRead(t.j.Names)), nil)
	}
	all := canaries(t.rec)
	planted, missing := plantedOf(all)
	said := fmt.Sprintf("%d of %s", planted, explain.Count(int64(len(all)), "invented value", "invented values"))
	if len(missing) > 0 {
		said += "; not " + join(missing, "and")
	}
	recorded := m.Device.Model == "" && len(t.rec.Plantings) == 0 // by others: there is traffic, and no device
	if recorded {
		t.row("looked for", explain.Count(int64(len(all)), "value that was given", "values that were given"), nil)
	} else {
		t.row("planted", said, nil)
	}
	decoys := fmt.Sprintf("%s searched for, %s", explain.Count(int64(d.Decoys), "value that was never planted", "values that were never planted"),
		explain.Count(int64(len(d.Matches)), "match", "matches"))
	if len(d.Matches) > 0 {
		t.row("decoys", decoys+": the instrument saw something that can't be there", func(s string) string { return t.in("1;33", s) })
	} else {
		t.row("decoys", decoys, nil)
	}
	if !recorded {
		t.row("device", fmt.Sprintf("%s, Android %s (API %d)", inert.Line(m.Device.Model, 60), inert.Line(m.Device.Release, 20), m.Device.API), nil)
	}
	t.row("protocol", fmt.Sprintf("%s, %s", inert.Line(m.Protocol, 60), m.Started.UTC().Format("2 January 2006, 15:04 UTC")), nil)
	if m.Head == "" {
		return // evidence in memory has no chain
	}
	t.row("chain head", inert.Line(string(m.Head), 64), nil)
	t.row("", "the SHA-256 of the log's last line, which stands for all of it", t.dim)
}

func (t *text) row(name, says string, paint func(string) string) {
	t.hang(fmt.Sprintf("  %-12s", name), strings.Repeat(" ", 14), says, paint)
}

// wrap breaks text at spaces into lines of at most width characters; a longer word stays whole.
// A no-break space is written as a space and breaks no line.
func wrap(s string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }) {
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
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.ReplaceAll(line, "\u00a0", " "), " ")
	}
	return lines
}
