package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// nowhere is a folder that no host has, nor any device: /dev/null is no
// folder. Where the interpreter looks at the host by itself, it is sent there.
// Programs of the shell's own have names in it.
const nowhere = "/dev/null"

// Variables that hold what the interpreter would take from the host's process.
const (
	varPID  = "__shell_pid"
	varPPID = "__shell_ppid"
	varName = "__shell_name"
)

// interpret runs a script, or with an empty one the commands on standard input.
func (ss *session) interpret(ctx context.Context, c *Call, script string, params []string, fg *foreground) int {
	ss.jobs = newJobs()
	runner, err := ss.runner(ctx, c, params)
	if err != nil {
		fmt.Fprintf(c.Stderr, "/system/bin/sh: %v\n", err)
		return 1
	}
	var code int
	if script == "" {
		code = ss.interactive(ctx, c, runner, fg)
	} else {
		code = ss.whole(ctx, c, runner, script, fg)
	}
	// What was started in the background holds the shell open, as it does
	// under adbd.
	runner.Run(ctx, waitAll())
	ss.jobs.wait(ctx)
	return code
}

func (ss *session) whole(ctx context.Context, c *Call, runner *interp.Runner, script string, fg *foreground) int {
	file, err := newParser().Parse(strings.NewReader(script), ss.name)
	if err != nil {
		return syntaxError(c, err)
	}
	adapt(file)
	ctx, done := fg.start(ctx)
	defer done()
	return exitCode(c, runner.Run(ctx, file))
}

func newParser() *syntax.Parser { return syntax.NewParser(syntax.Variant(syntax.LangMirBSDKorn)) }

// syntaxError says what is wrong with a script in mksh's form.
func syntaxError(c *Call, err error) int {
	var parse syntax.ParseError
	if errors.As(err, &parse) {
		fmt.Fprintf(c.Stderr, "/system/bin/sh: <stdin>[%d]: syntax error: %s\n", parse.Pos.Line(), parse.Text)
		return 1
	}
	fmt.Fprintf(c.Stderr, "/system/bin/sh: syntax error: %v\n", err)
	return 1
}

// exitCode is a script's exit code.
func exitCode(c *Call, err error) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 130
	}
	fmt.Fprintf(c.Stderr, "/system/bin/sh: %v\n", err)
	return 1
}

// runner makes an interpreter that asks the device for everything.
func (ss *session) runner(ctx context.Context, c *Call, params []string) (*interp.Runner, error) {
	if c.Stdin == nil {
		c.Stdin = strings.NewReader("")
	}
	r, err := interp.New(
		interp.Env(variables(ss, c)),
		interp.StdIO(c.Stdin, c.Stdout, c.Stderr),
		interp.CallHandler(ss.callHandler(c)),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return ss.execHandler(c) }),
		interp.OpenHandler(ss.openHandler(c)),
		interp.ReadDirHandler2(ss.readDirHandler(c)),
		interp.StatHandler(ss.statHandler(c)),
		interp.AccessHandler(ss.accessHandler(c)),
		func(r *interp.Runner) error {
			// interp.Dir would look for the folder on the host.
			r.Dir = c.Dir
			r.Params = params
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	r.Reset()
	// The interpreter makes pipes for <(…) in the TMPDIR that it starts with, on
	// the host; it starts with one where it can't.
	if tmp, ok := c.Env["TMPDIR"]; ok {
		quoted, err := syntax.Quote(tmp, syntax.LangMirBSDKorn)
		if err != nil {
			quoted = "/data/local/tmp"
		}
		prelude, err := newParser().Parse(strings.NewReader("export TMPDIR="+quoted), "")
		if err != nil {
			return nil, err
		}
		for _, stmt := range prelude.Stmts {
			if err := r.Run(ctx, stmt); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// variables are what a shell starts with.
func variables(ss *session, c *Call) expand.Environ {
	vars := environ{}
	for name, value := range c.Env {
		if name != "TMPDIR" && syntax.ValidName(name) {
			vars[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
		}
	}
	vars["TMPDIR"] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: nowhere + "/tmp"}
	uid := strconv.Itoa(c.UID)
	for name, value := range map[string]string{
		"UID": uid, "EUID": uid, "GID": uid, "USER_ID": uid, "KSHUID": uid,
		varPID: strconv.Itoa(ss.pid), varPPID: strconv.Itoa(ss.ppid), varName: ss.name,
	} {
		vars[name] = expand.Variable{Set: true, Kind: expand.String, Str: value}
	}
	return vars
}

// environ is a shell's first variables.
type environ map[string]expand.Variable

func (e environ) Get(name string) expand.Variable {
	if user, ok := strings.CutPrefix(name, "HOME "); ok {
		// Asked for ~user, which the interpreter would else look up on the host.
		return expand.Variable{Set: true, Kind: expand.String, Str: "~" + user}
	}
	return e[name]
}

func (e environ) Each(f func(string, expand.Variable) bool) {
	for name, v := range e {
		if !f(name, v) {
			return
		}
	}
}

// exported are the variables that a program gets.
func exported(env expand.Environ) map[string]string {
	out := map[string]string{}
	env.Each(func(name string, v expand.Variable) bool {
		if v.IsSet() && v.Exported && v.Kind == expand.String {
			out[name] = v.Str
		} else {
			delete(out, name)
		}
		return true
	})
	return out
}

// interactive runs commands line by line from standard input.
func (ss *session) interactive(ctx context.Context, c *Call, runner *interp.Runner, fg *foreground) int {
	lines := &lineReader{r: c.Stdin}
	code := 0
	prompt := func() {
		if ss.tty {
			io.WriteString(c.Stderr, ss.prompt(runner, c.UID, code))
		}
	}
	prompt()
	defer unblock(ctx, c.Stdin)()
	for ctx.Err() == nil {
		parser := newParser()
		var problem error
		for stmts, err := range parser.InteractiveSeq(lines) {
			if err != nil {
				problem = err
				break
			}
			if parser.Incomplete() {
				if ss.tty {
					io.WriteString(c.Stderr, "> ")
				}
				continue
			}
			for _, stmt := range stmts {
				adapt(stmt)
				lineCtx, done := fg.start(ctx)
				code = exitCode(c, runner.Run(lineCtx, stmt))
				done()
				if ctx.Err() != nil || runner.Exited() && lineCtx.Err() == nil {
					return code
				}
			}
			prompt()
		}
		if problem == nil || lines.eof && errors.Is(problem, io.EOF) {
			return code
		}
		code = syntaxError(c, problem)
		if lines.eof {
			return code
		}
		prompt()
	}
	return 130
}

// prompt is Android's PS1.
func (ss *session) prompt(runner *interp.Runner, uid, code int) string {
	ss.shell.mu.RLock()
	host := ss.shell.release.Hostname
	ss.shell.mu.RUnlock()
	sign, failed := "$", ""
	if uid == 0 {
		sign = "#"
	}
	if code != 0 {
		failed = strconv.Itoa(code) + "|"
	}
	return failed + host + ":" + runner.Dir + " " + sign + " "
}

// lineReader reads at most one line at a time, so that what follows is left to
// the commands.
type lineReader struct {
	r    io.Reader
	eof  bool
	last byte
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.eof || len(p) == 0 {
		return 0, io.EOF
	}
	for n := 0; ; {
		k, err := l.r.Read(p[n : n+1])
		if k > 0 {
			l.last = p[n]
			n++
		}
		if err != nil {
			// A last line without an end gets one, so that it is run.
			l.eof = true
			if n < len(p) && l.last != '\n' && l.last != 0 {
				p[n] = '\n'
				n++
			}
			return n, nil
		}
		if n == len(p) || n > 0 && p[n-1] == '\n' {
			return n, nil
		}
	}
}
