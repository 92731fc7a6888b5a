package shell

import (
	"context"
	"strconv"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// adapt changes a parsed script where the interpreter would speak of the
// host's process, or lose sight of what it starts.
func adapt(node syntax.Node) {
	var background []*syntax.Stmt
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			if n.Param != nil {
				adaptParameter(n.Param)
			}
		case *syntax.Stmt:
			if n.Background {
				background = append(background, n)
			}
		}
		return true
	})
	for _, stmt := range background {
		countJob(stmt)
	}
}

// adaptParameter lets $$, $PPID and $0 speak of the device's processes.
func adaptParameter(name *syntax.Lit) {
	switch name.Value {
	case "$":
		name.Value = varPID
	case "PPID":
		name.Value = varPPID
	case "0":
		name.Value = varName
	}
}

// countJob makes { begin; { (JOB); end $?; } & } of JOB &. The interpreter
// forgets the jobs of subshells; so they are counted when they start, in the shell
// that starts them, and when they end.
func countJob(stmt *syntax.Stmt) {
	job := *stmt
	job.Background = false
	*stmt = syntax.Stmt{Position: job.Position, Cmd: block(
		simple(literal(nowhere+"/begin")),
		&syntax.Stmt{Position: job.Position, Background: true, Cmd: block(
			&syntax.Stmt{Cmd: &syntax.Subshell{Stmts: []*syntax.Stmt{&job}}},
			simple(literal(nowhere+"/end"), &syntax.Word{Parts: []syntax.WordPart{
				&syntax.ParamExp{Short: true, Param: &syntax.Lit{Value: "?"}},
			}}),
		)},
	)}
}

func block(stmts ...*syntax.Stmt) *syntax.Block { return &syntax.Block{Stmts: stmts} }

func simple(words ...*syntax.Word) *syntax.Stmt {
	return &syntax.Stmt{Cmd: &syntax.CallExpr{Args: words}}
}

func literal(text string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: text}}}
}

// waitAll is the command "wait".
func waitAll() syntax.Node { return simple(literal("wait")) }

// cmdBegin and cmdEnd stand around each job; see countJob.
func cmdBegin(_ context.Context, c *Call) int {
	c.session.jobs.count(1)
	return 0
}

func cmdEnd(_ context.Context, c *Call) int {
	c.session.jobs.count(-1)
	code, _ := strconv.Atoi(first(c.Args[1:], "0"))
	return code
}

// jobs counts what a shell has in the background, its subshells' too.
type jobs struct {
	mu      sync.Mutex
	changed *sync.Cond
	running int
}

func newJobs() *jobs {
	j := &jobs{}
	j.changed = sync.NewCond(&j.mu)
	return j
}

func (j *jobs) count(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running += n
	j.changed.Broadcast()
}

// wait waits until no job runs, or ctx is done.
func (j *jobs) wait(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { j.count(0) })
	defer stop()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.running > 0 && ctx.Err() == nil {
		j.changed.Wait()
	}
}
