package shell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func cmdGrep(ctx context.Context, c *Call) int {
	o, ok := c.options("EFGiqvcnolLshHwxrRe:f:m:A:B:C:ab(only-matching)")
	if !ok {
		return 2
	}
	var patterns []string
	patterns = append(patterns, o.values['e']...)
	for _, name := range o.values['f'] {
		data, err := c.FS.ReadFile(c.Path(name))
		if err != nil {
			c.Errorf("%s: %s", name, rootfs.Message(err))
			return 2
		}
		patterns = append(patterns, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
	}
	if len(patterns) == 0 {
		if !c.need(o, 1) {
			return 2
		}
		patterns, o.args = strings.Split(o.args[0], "\n"), o.args[1:]
	}
	kind := basicRegexp
	switch base := path.Base(c.Args[0]); {
	case o.has('F') || base == "fgrep":
		kind = fixedRegexp
	case o.has('E') || base == "egrep":
		kind = extendedRegexp
	}
	re, err := compile(patterns, kind, o.has('i'), o.has('w'), o.has('x'))
	if err != nil {
		c.Errorf("bad REGEX: %v", err)
		return 2
	}
	g := &grepping{c: c, o: o, re: re, limit: -1}
	if o.has('m') {
		if g.limit, err = strconv.Atoi(o.value('m', "")); err != nil {
			c.Errorf("bad -m '%s'", o.value('m', ""))
			return 2
		}
	}
	both, _ := strconv.Atoi(o.value('C', "0"))
	g.before, g.after = both, both
	if o.has('B') {
		g.before, _ = strconv.Atoi(o.value('B', "0"))
	}
	if o.has('A') {
		g.after, _ = strconv.Atoi(o.value('A', "0"))
	}
	recursive := o.has('r') || o.has('R')
	g.names = (len(o.args) > 1 || recursive || o.has('H')) && !o.has('h')
	args := o.args
	if recursive && len(args) == 0 {
		args = []string{"."}
	}
	if recursive {
		var files []string
		for _, name := range args {
			files = append(files, c.filesBelow(ctx, name)...)
		}
		if args = files; len(args) == 0 {
			return 1
		}
	}
	quiet := *c
	if o.has('s') {
		quiet.Stderr = io.Discard
	}
	failed := quiet.eachInput(args, g.input)
	switch {
	case g.found && (o.has('q') || failed == 0):
		return 0
	case failed != 0:
		return 2
	}
	return 1
}

func (c *Call) filesBelow(ctx context.Context, name string) []string {
	info, err := c.FS.Stat(c.Path(name))
	if err != nil || !info.IsDir() {
		return []string{name}
	}
	entries, err := c.FS.ReadDir(c.Path(name))
	if err != nil {
		return []string{name} // reading it says why
	}
	var out []string
	for _, e := range entries {
		child := strings.TrimSuffix(name, "/") + "/" + e.Name()
		switch {
		case ctx.Err() != nil:
			return out
		case e.IsDir():
			out = append(out, c.filesBelow(ctx, child)...)
		case e.Type() == 0 || e.Type()&fs.ModeSymlink == 0 && e.Type()&fs.ModeDevice == 0:
			out = append(out, child)
		}
	}
	return out
}

// grepping is one run of grep.
type grepping struct {
	c             *Call
	o             options
	re            *regexp.Regexp
	limit         int
	before, after int
	names, found  bool
}

func (g *grepping) input(name string, r io.Reader) error {
	if name == "-" {
		name = "(standard input)"
	}
	var number, matches, printed, pending int
	var earlier [][]byte
	binary := false
	prefix := func(separator string, number int) string {
		var b strings.Builder
		if g.names {
			b.WriteString(name + separator)
		}
		if g.o.has('n') {
			fmt.Fprintf(&b, "%d%s", number, separator)
		}
		return b.String()
	}
	silent := g.o.has('q') || g.o.has('c') || g.o.has('l') || g.o.has('L')
	err := eachLine(r, func(line []byte) bool {
		number++
		line = bytes.TrimSuffix(line, []byte("\n"))
		binary = binary || bytes.IndexByte(line, 0) >= 0
		if g.re.Match(line) == g.o.has('v') {
			switch {
			case silent:
			case pending > 0:
				pending--
				printed = number
				return g.c.write(prefix("-", number)+string(line)+"\n") == 0
			case g.before > 0:
				if len(earlier) == g.before {
					earlier = earlier[1:]
				}
				earlier = append(earlier, line)
			}
			return true
		}
		matches++
		g.found = true
		if g.o.has('q') || g.o.has('l') || g.o.has('L') {
			return false
		}
		more := g.limit < 0 || matches < g.limit
		if silent {
			return more
		}
		if binary && !g.o.has('a') && !g.o.has('o') {
			g.c.Printf("Binary file %s matches\n", name)
			return false
		}
		if g.before+g.after > 0 && printed > 0 && number-len(earlier) > printed+1 {
			g.c.Printf("--\n")
		}
		for i, l := range earlier {
			g.c.Printf("%s%s\n", prefix("-", number-len(earlier)+i), l)
		}
		earlier, pending, printed = nil, g.after, number
		if !g.o.has('o') {
			return g.c.write(prefix(":", number)+string(line)+"\n") == 0 && more
		}
		for _, m := range g.re.FindAll(line, -1) {
			if len(m) > 0 {
				g.c.Printf("%s%s\n", prefix(":", number), m)
			}
		}
		return more
	})
	switch {
	case g.o.has('q'):
	case g.o.has('l') && matches > 0, g.o.has('L') && matches == 0:
		g.c.Printf("%s\n", name)
	case g.o.has('l') || g.o.has('L'):
	case g.o.has('c'):
		if g.names {
			g.c.Printf("%s:", name)
		}
		g.c.Printf("%d\n", matches)
	}
	return err
}

type regexpKind int

const (
	basicRegexp regexpKind = iota
	extendedRegexp
	fixedRegexp
)

// compile makes one expression of several in a POSIX dialect.
func compile(patterns []string, kind regexpKind, fold, word, line bool) (*regexp.Regexp, error) {
	var all []string
	for _, p := range patterns {
		switch kind {
		case fixedRegexp:
			p = regexp.QuoteMeta(p)
		default:
			p = translate(p, kind == extendedRegexp)
		}
		all = append(all, "(?:"+p+")")
	}
	source := strings.Join(all, "|")
	if word {
		source = `\b(?:` + source + `)\b`
	}
	if line {
		source = "^(?:" + source + ")$"
	}
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + source)
	if err != nil {
		return nil, err
	}
	re.Longest()
	return re, nil
}

// translate puts a POSIX regular expression into Go's form.
func translate(p string, extended bool) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch ch := p[i]; {
		case ch == '\\' && i+1 < len(p):
			i++
			switch next := p[i]; {
			case next == '<' || next == '>':
				b.WriteString(`\b`)
			case strings.IndexByte("wWsSbB", next) >= 0:
				b.WriteString(`\` + string(next))
			case !extended && strings.IndexByte("(){}|+?", next) >= 0:
				b.WriteByte(next)
			case next == 'n':
				b.WriteString(`\n`)
			case next == 't':
				b.WriteString(`\t`)
			default:
				b.WriteString(regexp.QuoteMeta(string(next)))
			}
		case ch == '[':
			end := classEnd(p, i)
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(strings.ReplaceAll(p[i:end+1], `\`, `\\`))
			i = end
		case !extended && strings.IndexByte("(){}|+?", ch) >= 0:
			b.WriteString(`\` + string(ch))
		case !extended && ch == '*' && (b.Len() == 0 || strings.HasSuffix(b.String(), "(") || b.String() == "^"):
			b.WriteString(`\*`)
		case extended && ch == '{' && (i+1 == len(p) || p[i+1] < '0' || p[i+1] > '9'):
			b.WriteString(`\{`)
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

// classEnd is where the bracket expression ends that starts at i, or -1.
func classEnd(p string, i int) int {
	j := i + 1
	if j < len(p) && p[j] == '^' {
		j++
	}
	if j < len(p) && p[j] == ']' {
		j++
	}
	for ; j < len(p); j++ {
		if p[j] == '[' && j+1 < len(p) && strings.IndexByte(":.=", p[j+1]) >= 0 {
			if k := strings.Index(p[j+2:], string(p[j+1])+"]"); k >= 0 {
				j += k + 3
				continue
			}
		}
		if p[j] == ']' {
			return j
		}
	}
	return -1
}
