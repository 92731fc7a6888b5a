package apk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/internal/inert"
)

// Lists are the long lists that a reader may ask for.
type Lists struct{ Classes, Strings, Methods bool }

// each calls f for the lists that were asked for.
func (l Lists) each(ctx context.Context, a *App, f func(name string, all iter.Seq[string]) error) error {
	for _, one := range []struct {
		asked bool
		name  string
		all   func(context.Context) iter.Seq[string]
	}{{l.Classes, "classes", a.Classes}, {l.Strings, "strings", a.Strings}, {l.Methods, "methods", a.Methods}} {
		if !one.asked {
			continue
		}
		if err := f(one.name, one.all(ctx)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// WriteJSON writes a description as one JSON object, the lists that are asked for within
// it, of which no more than one file of bytecode is in memory at a time.
func (a *App) WriteJSON(ctx context.Context, w io.Writer, d *Description, lists Lists) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n}\n")))
	one := json.NewEncoder(&b)
	one.SetEscapeHTML(false)
	err := lists.each(ctx, a, func(name string, all iter.Seq[string]) error {
		fmt.Fprintf(out, ",\n  %q: [", name)
		sep := "\n    "
		for s := range all {
			b.Reset()
			if err := one.Encode(s); err != nil {
				return err
			}
			out.WriteString(sep)
			if _, err := out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n"))); err != nil {
				return err
			}
			sep = ",\n    "
		}
		if sep != "\n    " {
			out.WriteString("\n  ")
		}
		_, err := out.WriteString("]")
		return err
	})
	if err != nil {
		return err
	}
	out.WriteString("\n}\n")
	return out.Flush()
}

// WriteLists writes the lists that are asked for, one entry a line, made harmless for a terminal.
func (a *App) WriteLists(ctx context.Context, w io.Writer, lists Lists) error {
	out := bufio.NewWriterSize(w, 64<<10)
	err := lists.each(ctx, a, func(_ string, all iter.Seq[string]) error {
		for s := range all {
			out.WriteString(inert.Line(s, 0))
			if err := out.WriteByte('\n'); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// WriteText writes a description for people. What the app claims is made harmless for a terminal.
func (d *Description) WriteText(w io.Writer) error {
	t := &textWriter{out: bufio.NewWriter(w)}
	t.line("%s", strings.TrimSpace(d.Label+"  "+d.Package))
	t.line("version %s (%d), for API level %d on, made for %d", orNone(d.VersionName), d.VersionCode, d.MinSDK, d.TargetSDK)
	for _, f := range d.Files {
		t.line("%s%s, %d bytes, SHA-256 %s", f.Name, inBrackets(f.Split), f.Size, f.SHA256)
	}
	if d.Debuggable {
		t.line("debuggable: anybody with the device can read and change what it does")
	}
	if d.TestOnly {
		t.line("for tests only")
	}
	t.signed(d)
	t.head("SDKs of others (present; that says nothing of what runs)", len(d.SDKs))
	for _, s := range d.SDKs {
		owner := s.Owner
		if s.Ultimate != "" {
			owner += " (" + s.Ultimate + ")"
		}
		t.line("  %s: %s%s, for %s; by %s %s", s.Name, owner, country(s.Country), strings.Join(s.Purpose, ", "), s.Matched[0].Kind, s.Matched[0].Where)
	}
	t.head("Made with", len(d.Frameworks))
	for _, f := range d.Frameworks {
		t.line("  %s, by %s %s", f.Name, f.Matched[0].Kind, f.Matched[0].Where)
	}
	t.head("Permissions", len(d.Permissions))
	for _, p := range d.Permissions {
		limit := ""
		if p.MaxSDK > 0 {
			limit = fmt.Sprintf(", up to API level %d", p.MaxSDK)
		}
		t.line("  %s: %s%s", p.Name, strings.Join(append([]string{p.Level}, p.Flags...), " "), limit)
	}
	t.reachable(d)
	t.network(d)
	if len(d.Libraries) > 0 {
		t.line("")
		t.line("Native libraries for %s: %d", strings.Join(d.ABIs, ", "), len(d.Libraries))
	}
	classes, methods := 0, 0
	for _, x := range d.DEX {
		classes, methods = classes+x.Classes, methods+x.Methods
	}
	t.line("")
	t.line("Bytecode: %d files, %d classes, %d references to methods", len(d.DEX), classes, methods)
	t.sentences("Odd, and Android takes it", d.Oddities)
	t.sentences("Could not be read", d.Problems)
	return t.out.Flush()
}

type textWriter struct{ out *bufio.Writer }

func (t *textWriter) line(format string, args ...any) {
	t.out.WriteString(inert.Line(fmt.Sprintf(format, args...), 0))
	t.out.WriteByte('\n')
}

func (t *textWriter) head(s string, n int) {
	t.line("")
	t.line("%s: %d", s, n)
}

func (t *textWriter) sentences(head string, all []string) {
	if len(all) == 0 {
		return
	}
	t.head(head, len(all))
	for _, s := range all {
		t.line("  %s", s)
	}
}

func (t *textWriter) signed(d *Description) {
	if len(d.Signers) == 0 {
		t.line("signed by nobody that can be named")
	}
	for _, s := range d.Signers {
		debug := ""
		if s.Debug {
			debug = "; a debug certificate, whose key everybody has"
		}
		t.line("signed by %s, %s, certificate SHA-256 %s%s", s.Subject, s.Key, s.SHA256, debug)
	}
	for _, s := range d.Signatures {
		if !s.Verified {
			t.line("%s of %s does not verify: %s", s.Scheme, s.File, s.Error)
		}
	}
	if len(d.Schemes) > 0 {
		t.line("verified: %s", strings.Join(d.Schemes, ", "))
	}
}

// reachable lists the components that others can reach.
func (t *textWriter) reachable(d *Description) {
	var open []Component
	for _, c := range d.Components {
		if c.Exported && c.Enabled {
			open = append(open, c)
		}
	}
	t.line("")
	t.line("Components: %d, of which other apps can reach %d", len(d.Components), len(open))
	for _, c := range open {
		guard := ""
		if c.Permission != "" {
			guard = ", with " + c.Permission
		}
		t.line("  %s %s (by %s)%s", c.Kind, c.Name, c.ExportedBy, guard)
		for _, l := range c.DeepLinks {
			t.line("    opens %s://%s", strings.Join(l.Schemes, "|"), strings.Join(l.Hosts, "|"))
		}
	}
}

func (t *textWriter) network(d *Description) {
	n := d.NetworkSecurity
	trusts := map[string]bool{}
	for _, a := range n.Trusts {
		trusts[a.Source] = true
	}
	t.line("")
	permitted := "not permitted"
	if n.Cleartext {
		permitted = "permitted"
	}
	t.line("Network: cleartext is %s (by %s); certificate authorities trusted: %s (by %s)", permitted, n.CleartextBy,
		strings.Join(slices.Sorted(maps.Keys(trusts)), ", "), n.TrustsBy)
	for _, one := range n.Domains {
		var hosts []string
		for _, h := range one.Hosts {
			hosts = append(hosts, h.Name)
		}
		t.line("  %s: cleartext %v, %d pins", strings.Join(hosts, ", "), one.Cleartext, len(one.Pins))
	}
	allowed := "off"
	if d.Backup.Allowed {
		allowed = "on"
	}
	t.line("Backup by Android: %s (by %s), %d rules", allowed, d.Backup.AllowedBy, len(d.Backup.Rules))
}

func orNone(s string) string {
	if s == "" {
		return "without a name"
	}
	return s
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func country(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}
