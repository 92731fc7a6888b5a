package shell

import (
	"fmt"
	"path"
	"strings"
)

// options are a command's parsed options.
type options struct {
	given  map[rune]bool
	values map[rune][]string
	args   []string
}

func (o options) has(flag rune) bool { return o.given[flag] }

// value is an option's last value, or a default.
func (o options) value(flag rune, otherwise string) string {
	if v := o.values[flag]; len(v) > 0 {
		return v[len(v)-1]
	}
	return otherwise
}

// options parses a command's options as toybox does. spec is getopt's: letters,
// each followed by ":" where it takes a value; "+" at the front stops at the first
// word that is no option; "(name)" after a letter is its long name. On a
// mistake it prints what toybox would, and reports false.
func (c *Call) options(spec string) (options, bool) {
	o := options{given: map[rune]bool{}, values: map[rune][]string{}}
	takes, long, stop := parseSpec(spec)
	args := c.Args[1:]
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			o.args = append(o.args, args...)
			return o, true
		case strings.HasPrefix(arg, "--"):
			name, value, has := strings.Cut(arg[2:], "=")
			flag, ok := long[name]
			if !ok {
				return o, c.unknownOption("'" + name + "'")
			}
			o.given[flag] = true
			if takes[flag] {
				if !has {
					if len(args) == 0 {
						return o, c.missingValue(arg[2:])
					}
					value, args = args[0], args[1:]
				}
				o.values[flag] = append(o.values[flag], value)
			}
		case len(arg) > 1 && arg[0] == '-':
			for i, flag := range arg[1:] {
				wants, known := takes[flag]
				if !known {
					return o, c.unknownOption("'" + string(flag) + "'")
				}
				o.given[flag] = true
				if !wants {
					continue
				}
				value := arg[1+i+len(string(flag)):]
				if value == "" {
					if len(args) == 0 {
						return o, c.missingValue(string(flag))
					}
					value, args = args[0], args[1:]
				}
				o.values[flag] = append(o.values[flag], value)
				break
			}
		default:
			o.args = append(o.args, arg)
			if stop {
				o.args = append(o.args, args...)
				return o, true
			}
		}
	}
	return o, true
}

func parseSpec(spec string) (takes map[rune]bool, long map[string]rune, stop bool) {
	takes, long = map[rune]bool{}, map[string]rune{}
	spec, stop = strings.CutPrefix(spec, "+")
	var last rune
	for spec != "" {
		if spec[0] == '(' {
			name, rest, _ := strings.Cut(spec[1:], ")")
			long[name] = last
			spec = rest
			continue
		}
		if spec[0] == ':' {
			takes[last] = true
			spec = spec[1:]
			continue
		}
		last = []rune(spec)[0]
		takes[last] = false
		spec = spec[len(string(last)):]
	}
	return takes, long, stop
}

func (c *Call) unknownOption(what string) bool {
	name := path.Base(c.Args[0])
	fmt.Fprintf(c.Stderr, "%s: Unknown option %s (see \"%s --help\")\n", name, what, name)
	return false
}

func (c *Call) missingValue(what string) bool {
	c.Errorf("Missing argument to -%s", what)
	return false
}

// need checks that there are enough arguments, with toybox's words.
func (c *Call) need(o options, n int) bool {
	if len(o.args) >= n {
		return true
	}
	name := path.Base(c.Args[0])
	word := "argument"
	if n > 1 {
		word = "arguments"
	}
	fmt.Fprintf(c.Stderr, "%s: Needs %d %s (see \"%s --help\")\n", name, n, word, name)
	return false
}
