package shell

import (
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// sortKey is one of sort's -k.
type sortKey struct {
	from, to int // fields, from 1; to 0 is the end of the line
	flags    string
}

func cmdSort(_ context.Context, c *Call) int {
	o, ok := c.options("bcfghik:Mmno:rst:uVxz")
	if !ok {
		return 1
	}
	var flags string
	for _, f := range "bfgnrV" {
		if o.has(f) {
			flags += string(f)
		}
	}
	var keys []sortKey
	for _, k := range o.values['k'] {
		key, ok := parseKey(k)
		if !ok {
			return c.Errorf("bad key '%s'", k)
		}
		if key.flags == "" {
			key.flags = flags
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		keys = []sortKey{{from: 1, flags: flags}}
	}
	var lines []string
	code := c.eachInput(o.args, func(_ string, r io.Reader) error {
		return eachLine(r, func(line []byte) bool {
			lines = append(lines, strings.TrimSuffix(string(line), "\n"))
			return true
		})
	})
	separator := o.value('t', "")
	compare := func(a, b string) int {
		for _, k := range keys {
			if n := k.compare(k.of(a, separator), k.of(b, separator)); n != 0 {
				return n
			}
		}
		return 0
	}
	full := func(a, b string) int {
		n := compare(a, b)
		if n == 0 && !o.has('s') && !o.has('u') {
			n = strings.Compare(a, b)
			if o.has('r') {
				n = -n
			}
		}
		return n
	}
	if o.has('c') {
		for i := 1; i < len(lines); i++ {
			if full(lines[i-1], lines[i]) > 0 {
				return c.Errorf("Check line %d", i+1)
			}
		}
		return code
	}
	slices.SortStableFunc(lines, full)
	if o.has('u') {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return compare(a, b) == 0 })
	}
	out := c.Stdout
	if o.has('o') {
		f, err := c.FS.OpenFile(c.Path(o.value('o', "")), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return c.Errorf("%s: %s", o.value('o', ""), rootfs.Message(err))
		}
		defer f.Close()
		out = f
	}
	if len(lines) > 0 {
		io.WriteString(out, strings.Join(lines, "\n")+"\n")
	}
	return code
}

func parseKey(s string) (sortKey, bool) {
	var k sortKey
	number := func(part string) (int, bool) {
		end := 0
		for end < len(part) && (part[end] >= '0' && part[end] <= '9' || part[end] == '.') {
			end++
		}
		k.flags += part[end:]
		field, _, _ := strings.Cut(part[:end], ".")
		n, err := strconv.Atoi(field)
		return n, err == nil && n > 0
	}
	a, b, two := strings.Cut(s, ",")
	var ok bool
	if k.from, ok = number(a); !ok {
		return k, false
	}
	if two {
		if k.to, ok = number(b); !ok {
			return k, false
		}
	}
	return k, true
}

// of is the part of a line that the key compares.
func (k sortKey) of(line, separator string) string {
	if k.from == 1 && k.to == 0 {
		return line
	}
	var fields []string
	joint := separator
	if separator == "" {
		fields, joint = strings.Fields(line), " "
	} else {
		fields = strings.Split(line, separator)
	}
	if k.from > len(fields) {
		return ""
	}
	to := len(fields)
	if k.to > 0 {
		to = min(to, k.to)
	}
	return strings.Join(fields[k.from-1:max(to, k.from-1)], joint)
}

func (k sortKey) compare(a, b string) int {
	if strings.Contains(k.flags, "b") {
		a, b = strings.TrimLeft(a, " \t"), strings.TrimLeft(b, " \t")
	}
	n := 0
	switch {
	case strings.ContainsAny(k.flags, "ng"):
		n = cmp.Compare(leadingNumber(a), leadingNumber(b))
	case strings.Contains(k.flags, "V"):
		n = compareVersions(a, b)
	case strings.Contains(k.flags, "f"):
		n = strings.Compare(strings.ToUpper(a), strings.ToUpper(b))
	default:
		n = strings.Compare(a, b)
	}
	if strings.Contains(k.flags, "r") {
		n = -n
	}
	return n
}

func leadingNumber(s string) float64 {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && s[end] == '-') {
		end++
	}
	n, _ := strconv.ParseFloat(s[:end], 64)
	return n
}

// compareVersions compares runs of digits as numbers.
func compareVersions(a, b string) int {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			i, j := 0, 0
			for i < len(a) && digit(a[i]) {
				i++
			}
			for j < len(b) && digit(b[j]) {
				j++
			}
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if n := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); n != 0 {
				return n
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
