package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// sedCommand is one command of a script: s, d, p, q, = or a, with an address.
type sedCommand struct {
	from, to    *sedAddress
	not, active bool
	verb        byte
	re          *regexp.Regexp
	text        string
	global      bool
	print       bool
	nth         int
}

// sedAddress is a line's number, the last line, or an expression.
type sedAddress struct {
	line int
	last bool
	re   *regexp.Regexp
}

func cmdSed(_ context.Context, c *Call) int {
	args := append([]string{}, c.Args...)
	for i, a := range args { // -i takes its suffix only when joined
		if a == "-i" || a == "--in-place" {
			args[i] = "-I"
		}
	}
	call := *c
	call.Args = args
	o, ok := call.options("e:f:nEri:Isz(in-place)")
	if !ok {
		return 1
	}
	scripts := o.values['e']
	for _, name := range o.values['f'] {
		data, err := c.FS.ReadFile(c.Path(name))
		if err != nil {
			return c.Errorf("%s: %s", name, rootfs.Message(err))
		}
		scripts = append(scripts, string(data))
	}
	if len(scripts) == 0 {
		if !c.need(o, 1) {
			return 1
		}
		scripts, o.args = o.args[:1], o.args[1:]
	}
	commands, err := parseSed(strings.Join(scripts, "\n"), o.has('E') || o.has('r'))
	if err != nil {
		return c.Errorf("%v", err)
	}
	if !o.has('I') && !o.has('i') {
		var all []io.Reader
		code := c.eachInput(o.args, func(_ string, r io.Reader) error {
			data, err := io.ReadAll(r)
			all = append(all, bytes.NewReader(data))
			return err
		})
		sed(c.Stdout, io.MultiReader(all...), commands, o.has('n'))
		return code
	}
	code := 0
	for _, name := range o.args {
		data, err := c.FS.ReadFile(c.Path(name))
		if err == nil {
			var out bytes.Buffer
			for _, cmd := range commands {
				cmd.active = false
			}
			sed(&out, bytes.NewReader(data), commands, o.has('n'))
			if suffix := o.value('i', ""); suffix != "" {
				err = c.FS.WriteFile(c.Path(name+suffix), data, 0o666)
			}
			if err == nil {
				var f *rootfs.File
				if f, err = c.FS.OpenFile(c.Path(name), os.O_WRONLY|os.O_TRUNC, 0); err == nil {
					_, err = f.Write(out.Bytes())
					err = errors.Join(err, f.Close())
				}
			}
		}
		if err != nil {
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
		}
	}
	return code
}

// sed runs the commands on each line.
func sed(w io.Writer, r io.Reader, commands []*sedCommand, quiet bool) {
	var lines [][]byte
	eachLine(r, func(line []byte) bool { lines = append(lines, line); return true })
	for i, line := range lines {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		end := ""
		if ended || i+1 < len(lines) {
			end = "\n"
		}
		space, deleted, quit, after := string(text), false, false, ""
		for _, cmd := range commands {
			if !cmd.applies(i+1, i+1 == len(lines), space) {
				continue
			}
			switch cmd.verb {
			case 'd':
				deleted = true
			case 'p':
				io.WriteString(w, space+"\n")
			case 'q':
				quit = true
			case '=':
				io.WriteString(w, strconv.Itoa(i+1)+"\n")
			case 'a':
				after += cmd.text + "\n"
			case 's':
				replaced, n := cmd.substitute(space)
				if n && cmd.print {
					io.WriteString(w, replaced+"\n")
				}
				space = replaced
			}
			if deleted || quit {
				break
			}
		}
		if !deleted && !quiet {
			if _, err := io.WriteString(w, space+end); err != nil {
				return
			}
		}
		io.WriteString(w, after)
		if quit {
			return
		}
	}
}

func (s *sedCommand) applies(line int, last bool, text string) bool {
	return s.selected(line, last, text) != s.not
}

func (s *sedCommand) selected(line int, last bool, text string) bool {
	switch {
	case s.from == nil:
		return true
	case s.to == nil:
		return s.from.matches(line, last, text)
	case s.active:
		if s.to.matches(line, last, text) || s.to.re == nil && !s.to.last && line >= s.to.line {
			s.active = false
			return s.to.re != nil || s.to.last || line == s.to.line
		}
		return true
	case s.from.matches(line, last, text):
		s.active = s.to.re != nil || s.to.last && !last || s.to.line > line
		return true
	}
	return false
}

func (a *sedAddress) matches(line int, last bool, text string) bool {
	switch {
	case a.re != nil:
		return a.re.MatchString(text)
	case a.last:
		return last
	}
	return line == a.line
}

// substitute is s///: the result, and whether anything was replaced.
func (s *sedCommand) substitute(text string) (string, bool) {
	var b strings.Builder
	at, count, done := 0, 0, false
	for _, m := range s.re.FindAllStringSubmatchIndex(text, -1) {
		count++
		if count < s.nth || done && !s.global {
			continue
		}
		b.WriteString(text[at:m[0]])
		for i := 0; i < len(s.text); i++ {
			group := -1
			switch ch := s.text[i]; {
			case ch == '&':
				group = 0
			case ch == '\\' && i+1 < len(s.text):
				i++
				if d := s.text[i]; d >= '0' && d <= '9' {
					group = int(d - '0')
				} else if d == 'n' {
					b.WriteByte('\n')
				} else {
					b.WriteByte(d)
				}
			default:
				b.WriteByte(ch)
			}
			if group >= 0 && 2*group+1 < len(m) && m[2*group] >= 0 {
				b.WriteString(text[m[2*group]:m[2*group+1]])
			}
		}
		at, done = m[1], true
	}
	b.WriteString(text[at:])
	return b.String(), done
}

var errSed = errors.New("bad pattern")

// parseSed reads a script.
func parseSed(script string, extended bool) ([]*sedCommand, error) {
	var out []*sedCommand
	for {
		script = strings.TrimLeft(script, " \t\n;")
		if script == "" {
			return out, nil
		}
		if script[0] == '#' {
			_, script, _ = strings.Cut(script, "\n")
			continue
		}
		cmd := &sedCommand{nth: 1}
		var err error
		if cmd.from, script, err = parseAddress(script, extended); err != nil {
			return nil, err
		}
		if cmd.from != nil && strings.HasPrefix(script, ",") {
			if cmd.to, script, err = parseAddress(script[1:], extended); err != nil || cmd.to == nil {
				return nil, errSed
			}
		}
		script = strings.TrimLeft(script, " \t")
		if strings.HasPrefix(script, "!") {
			cmd.not, script = true, strings.TrimLeft(script[1:], " \t")
		}
		if script == "" {
			return nil, errSed
		}
		cmd.verb, script = script[0], script[1:]
		switch cmd.verb {
		case 'd', 'p', 'q', '=':
		case 'a':
			cmd.text, script, _ = strings.Cut(strings.TrimLeft(strings.TrimPrefix(script, `\`), " \t\n"), "\n")
		case 's':
			if script, err = cmd.parseSubstitute(script, extended); err != nil {
				return nil, err
			}
		default:
			return nil, errors.New("this device's sed has only s, d, p, q, a and =: not '" + string(cmd.verb) + "'")
		}
		out = append(out, cmd)
	}
}

func parseAddress(s string, extended bool) (*sedAddress, string, error) {
	switch {
	case s == "":
		return nil, s, nil
	case s[0] == '$':
		return &sedAddress{last: true}, s[1:], nil
	case s[0] == '/':
		source, rest, ok := delimited(s[1:], '/')
		if !ok {
			return nil, s, errSed
		}
		re, err := regexp.Compile(translate(source, extended))
		return &sedAddress{re: re}, rest, err
	}
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == 0 {
		return nil, s, nil
	}
	n, err := strconv.Atoi(s[:end])
	return &sedAddress{line: n}, s[end:], err
}

func (s *sedCommand) parseSubstitute(script string, extended bool) (string, error) {
	if script == "" || script[0] == '\n' || script[0] == '\\' {
		return "", errSed
	}
	delimiter := script[0]
	source, script, ok := delimited(script[1:], delimiter)
	if !ok {
		return "", errSed
	}
	if s.text, script, ok = delimited(script, delimiter); !ok {
		return "", errSed
	}
	flags := ""
	for script != "" && strings.IndexByte("gpiI0123456789", script[0]) >= 0 {
		switch ch := script[0]; {
		case ch == 'g':
			s.global = true
		case ch == 'p':
			s.print = true
		case ch == 'i' || ch == 'I':
			flags = "(?i)"
		default:
			s.nth = int(ch - '0')
		}
		script = script[1:]
	}
	var err error
	s.re, err = regexp.Compile(flags + translate(source, extended))
	return script, err
}

// delimited reads up to a delimiter that no backslash stands before.
func delimited(s string, delimiter byte) (text, rest string, ok bool) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != delimiter || delimiter == '&' {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i+1])
			i++
			continue
		case s[i] == '[':
			inClass = true
		case s[i] == ']':
			inClass = false
		case s[i] == delimiter && (!inClass || !strings.Contains(s[i:], "]")):
			return b.String(), s[i+1:], true
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
