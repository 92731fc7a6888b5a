package shell

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func cmdWc(_ context.Context, c *Call) int {
	o, ok := c.options("lwcm")
	if !ok {
		return 1
	}
	all := !o.has('l') && !o.has('w') && !o.has('c') && !o.has('m')
	var total [4]int64
	print := func(n [4]int64, name string) {
		var out []string
		for i, flag := range []rune{'l', 'w', 'c', 'm'} {
			if o.has(flag) || all && flag != 'm' {
				out = append(out, strconv.FormatInt(n[i], 10))
			}
		}
		if name != "" {
			out = append(out, name)
		}
		c.Printf("%s\n", strings.Join(out, " "))
	}
	code := c.eachInput(o.args, func(name string, r io.Reader) error {
		var n [4]int64
		inWord := false
		buf := make([]byte, 64<<10)
		for {
			k, err := r.Read(buf)
			for _, b := range buf[:k] {
				n[2]++
				if b == '\n' {
					n[0]++
				}
				space := b == ' ' || b >= '\t' && b <= '\r'
				if !space && !inWord {
					n[1]++
				}
				inWord = !space
				if utf8.RuneStart(b) {
					n[3]++
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					return err
				}
				break
			}
		}
		for i := range n {
			total[i] += n[i]
		}
		if name == "-" {
			name = ""
		}
		print(n, name)
		return nil
	})
	if len(o.args) > 1 {
		print(total, "total")
	}
	return code
}

func cmdUniq(_ context.Context, c *Call) int {
	o, ok := c.options("cdiuf:s:w:z")
	if !ok {
		return 1
	}
	if len(o.args) > 1 {
		o.args = o.args[:1]
	}
	var last string
	count := 0
	flush := func() {
		if count == 0 || o.has('d') && count < 2 || o.has('u') && count > 1 {
			return
		}
		if o.has('c') {
			c.Printf("%7d ", count)
		}
		c.Printf("%s\n", last)
	}
	same := func(a, b string) bool {
		if o.has('i') {
			return strings.EqualFold(a, b)
		}
		return a == b
	}
	code := c.eachInput(o.args, func(_ string, r io.Reader) error {
		return eachLine(r, func(line []byte) bool {
			text := strings.TrimSuffix(string(line), "\n")
			if count > 0 && same(text, last) {
				count++
				return true
			}
			flush()
			last, count = text, 1
			return true
		})
	})
	flush()
	return code
}

func cmdCut(_ context.Context, c *Call) int {
	o, ok := c.options("b:c:f:d:sO:")
	if !ok {
		return 1
	}
	spec, kind := "", rune(0)
	for _, k := range "bcf" {
		if o.has(k) {
			spec, kind = o.value(k, ""), k
		}
	}
	ranges, ok := parseRanges(spec)
	if !ok {
		return c.Errorf("bad list '%s'", spec)
	}
	delimiter := o.value('d', "\t")
	return c.eachInput(o.args, func(_ string, r io.Reader) error {
		return eachLine(r, func(line []byte) bool {
			text := strings.TrimSuffix(string(line), "\n")
			var parts []string
			joint := ""
			switch kind {
			case 'f':
				if !strings.Contains(text, delimiter) {
					if !o.has('s') {
						return c.write(text+"\n") == 0
					}
					return true
				}
				parts, joint = strings.Split(text, delimiter), o.value('O', delimiter)
			case 'c':
				for _, r := range text {
					parts = append(parts, string(r))
				}
			default:
				for i := range len(text) {
					parts = append(parts, text[i:i+1])
				}
			}
			var out []string
			for i, p := range parts {
				if inRanges(ranges, i+1) {
					out = append(out, p)
				}
			}
			return c.write(strings.Join(out, joint)+"\n") == 0
		})
	})
}

func parseRanges(s string) ([][2]int, bool) {
	var out [][2]int
	for _, part := range strings.Split(s, ",") {
		a, b, dash := strings.Cut(part, "-")
		lo, hi := 1, 1<<30
		var err error
		if a != "" {
			if lo, err = strconv.Atoi(a); err != nil || lo < 1 {
				return nil, false
			}
		}
		if !dash {
			hi = lo
		} else if b != "" {
			if hi, err = strconv.Atoi(b); err != nil || hi < lo {
				return nil, false
			}
		}
		if part == "" || part == "-" {
			return nil, false
		}
		out = append(out, [2]int{lo, hi})
	}
	return out, true
}

func inRanges(ranges [][2]int, n int) bool {
	return slices.ContainsFunc(ranges, func(r [2]int) bool { return n >= r[0] && n <= r[1] })
}

func cmdTr(_ context.Context, c *Call) int {
	o, ok := c.options("+cCdst")
	if !ok || !c.need(o, 1) {
		return 1
	}
	from := expandSet(o.args[0])
	var to []byte
	if len(o.args) > 1 {
		to = expandSet(o.args[1])
	}
	var member [256]bool
	for _, b := range from {
		member[b] = true
	}
	if o.has('c') || o.has('C') {
		from = nil
		for b := range 256 {
			member[b] = !member[b]
			if member[b] {
				from = append(from, byte(b))
			}
		}
	}
	var table [256]byte
	for b := range 256 {
		table[b] = byte(b)
	}
	if len(to) > 0 && !o.has('d') {
		for i, b := range from {
			table[b] = to[min(i, len(to)-1)]
		}
	}
	var squeeze [256]bool
	if o.has('s') {
		set := to
		if len(o.args) < 2 {
			set = from
		}
		for _, b := range set {
			squeeze[b] = true
		}
	}
	return c.eachInput(nil, func(_ string, r io.Reader) error {
		last := -1
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Read(buf)
			out := buf[:0]
			for _, b := range buf[:n] {
				if o.has('d') && member[b] {
					continue
				}
				b = table[b]
				if squeeze[b] && last == int(b) {
					continue
				}
				last = int(b)
				out = append(out, b)
			}
			if _, werr := c.Stdout.Write(out); werr != nil {
				return werr
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

// expandSet is the bytes that one of tr's sets stands for.
func expandSet(s string) []byte {
	s, _ = unescape(s)
	classes := map[string]func(b byte) bool{
		"[:lower:]": func(b byte) bool { return b >= 'a' && b <= 'z' },
		"[:upper:]": func(b byte) bool { return b >= 'A' && b <= 'Z' },
		"[:digit:]": func(b byte) bool { return b >= '0' && b <= '9' },
		"[:alpha:]": func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' },
		"[:alnum:]": func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' },
		"[:space:]": func(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' },
		"[:blank:]": func(b byte) bool { return b == ' ' || b == '\t' },
		"[:punct:]": func(b byte) bool {
			return b > ' ' && b < 0x7f && !(b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9')
		},
		"[:cntrl:]": func(b byte) bool { return b < ' ' || b == 0x7f },
		"[:print:]": func(b byte) bool { return b >= ' ' && b < 0x7f },
	}
	var out []byte
scan:
	for i := 0; i < len(s); i++ {
		for name, in := range classes {
			if strings.HasPrefix(s[i:], name) {
				for b := range 256 {
					if in(byte(b)) {
						out = append(out, byte(b))
					}
				}
				i += len(name) - 1
				continue scan
			}
		}
		if i+2 < len(s) && s[i+1] == '-' && s[i+2] >= s[i] {
			for b := int(s[i]); b <= int(s[i+2]); b++ {
				out = append(out, byte(b))
			}
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
