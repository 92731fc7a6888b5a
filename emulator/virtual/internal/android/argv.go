package android

import (
	"strconv"
	"strings"
)

// argv are a command's arguments, taken one by one as Android's ShellCommand
// takes them: options first, "--" ends them, and an option's value may be
// glued to its letter.
type argv struct {
	list  []string
	glued string
}

func newArgv(args []string) *argv { return &argv{list: args} }

// option returns the next option, or false where an argument comes.
func (a *argv) option() (string, bool) {
	a.glued = ""
	if len(a.list) == 0 || !strings.HasPrefix(a.list[0], "-") {
		return "", false
	}
	opt := a.list[0]
	a.list = a.list[1:]
	if opt == "--" {
		return "", false
	}
	if len(opt) > 2 && opt[1] != '-' {
		a.glued = opt[2:]
		return opt[:2], true
	}
	return opt, true
}

// next returns the next argument, or false where there is none.
func (a *argv) next() (string, bool) {
	if a.glued != "" {
		s := a.glued
		a.glued = ""
		return s, true
	}
	if len(a.list) == 0 {
		return "", false
	}
	s := a.list[0]
	a.list = a.list[1:]
	return s, true
}

// required returns the next argument, or Android's complaint that it is missing.
func (a *argv) required(after string) (string, error) {
	s, ok := a.next()
	if !ok {
		return "", illegalArgument("Argument expected after \"%s\"", after)
	}
	return s, nil
}

// number is a required argument that is a whole number.
func (a *argv) number(after string) (int64, error) {
	s, err := a.required(after)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, refusef("java.lang.NumberFormatException: For input string: \"%s\"", s)
	}
	return n, nil
}

// rest are all arguments that are left.
func (a *argv) rest() []string {
	list := a.list
	a.list = nil
	return list
}

// skipOptions passes over the options that come next, with the user that --user
// names: this device has one.
func (a *argv) skipOptions() {
	for {
		opt, ok := a.option()
		if !ok {
			return
		}
		if opt == "--user" {
			a.next()
		}
	}
}
