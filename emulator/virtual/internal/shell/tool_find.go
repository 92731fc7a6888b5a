package shell

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// found is one file that find looks at.
type found struct {
	name, full string
	info       *rootfs.Info
	depth      int
}

// test is one of find's conditions.
type test func(ctx context.Context, f found) bool

// finder is one run of find.
type finder struct {
	c                  *Call
	words              []string
	minDepth, maxDepth int
	depthFirst, acts   bool
	prune              bool
	code               int
}

func cmdFind(ctx context.Context, c *Call) int {
	args := c.Args[1:]
	for len(args) > 0 && (args[0] == "-L" || args[0] == "-H" || args[0] == "-P") {
		args = args[1:]
	}
	var starts []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "(" && args[0] != "!" {
		starts = append(starts, args[0])
		args = args[1:]
	}
	if len(starts) == 0 {
		starts = []string{"."}
	}
	f := &finder{c: c, words: args, maxDepth: 1 << 30}
	cond, problem := f.parseOr()
	if problem == "" && len(f.words) > 0 {
		problem = "bad arg '" + f.words[0] + "'"
	}
	if problem != "" {
		return c.Errorf("%s", problem)
	}
	for _, start := range starts {
		info, err := c.FS.Lstat(c.Path(start))
		if err != nil {
			f.code = c.Errorf("'%s': %s", start, rootfs.Message(err))
			continue
		}
		f.visit(ctx, found{name: start, full: c.Path(start), info: info}, cond)
	}
	return f.code
}

func (f *finder) visit(ctx context.Context, at found, cond test) {
	if ctx.Err() != nil {
		return
	}
	judge := func() {
		if at.depth >= f.minDepth && cond(ctx, at) && !f.acts {
			f.c.Printf("%s\n", at.name)
		}
	}
	f.prune = false
	if !f.depthFirst {
		judge()
	}
	if at.info.IsDir() && at.depth < f.maxDepth && !f.prune {
		entries, err := f.c.FS.ReadDir(at.full)
		if err != nil {
			f.code = f.c.Errorf("%s: %s", at.name, rootfs.Message(err))
		}
		for _, e := range entries {
			child := found{name: strings.TrimSuffix(at.name, "/") + "/" + e.Name(), full: at.full + "/" + e.Name(), depth: at.depth + 1}
			if child.info, err = f.c.FS.Lstat(child.full); err == nil {
				f.visit(ctx, child, cond)
			}
		}
	}
	if f.depthFirst {
		judge()
	}
}

func (f *finder) peek() string {
	if len(f.words) == 0 {
		return ""
	}
	return f.words[0]
}

func (f *finder) parseOr() (test, string) {
	left, problem := f.parseAnd()
	for problem == "" && (f.peek() == "-o" || f.peek() == "-or") {
		f.words = f.words[1:]
		var right test
		if right, problem = f.parseAnd(); problem == "" {
			first := left
			left = func(ctx context.Context, x found) bool { return first(ctx, x) || right(ctx, x) }
		}
	}
	return left, problem
}

func (f *finder) parseAnd() (test, string) {
	cond := test(func(context.Context, found) bool { return true })
	for {
		switch f.peek() {
		case "", ")", "-o", "-or":
			return cond, ""
		case "-a", "-and":
			f.words = f.words[1:]
			continue
		}
		next, problem := f.parseOne()
		if problem != "" {
			return nil, problem
		}
		before := cond
		cond = func(ctx context.Context, x found) bool { return before(ctx, x) && next(ctx, x) }
	}
}

// takes is how many words find's conditions take.
var takes = map[string]int{
	"-name": 1, "-iname": 1, "-path": 1, "-wholename": 1, "-type": 1, "-maxdepth": 1, "-mindepth": 1, "-size": 1,
	"-user": 1, "-group": 1, "-perm": 1, "-newer": 1, "-mtime": 1, "-mmin": 1,
	"-print": 0, "-print0": 0, "-delete": 0, "-depth": 0, "-prune": 0, "-empty": 0, "-true": 0, "-false": 0, "-xdev": 0,
}

func (f *finder) parseOne() (test, string) {
	word := f.words[0]
	f.words = f.words[1:]
	switch word {
	case "!", "-not":
		if len(f.words) == 0 {
			return nil, "bad arg '!'"
		}
		inner, problem := f.parseOne()
		return func(ctx context.Context, x found) bool { return !inner(ctx, x) }, problem
	case "(":
		inner, problem := f.parseOr()
		if problem == "" && f.peek() != ")" {
			problem = "bad arg '('"
		} else if problem == "" {
			f.words = f.words[1:]
		}
		return inner, problem
	case "-exec", "-ok":
		return f.parseExec()
	}
	n, known := takes[word]
	if !known {
		return nil, "bad arg '" + word + "'"
	}
	value := ""
	if n == 1 {
		if len(f.words) == 0 {
			return nil, "'" + word + "' needs 1 arg"
		}
		value = f.words[0]
		f.words = f.words[1:]
	}
	return f.condition(word, value)
}

func (f *finder) parseExec() (test, string) {
	end := slices.IndexFunc(f.words, func(w string) bool { return w == ";" || w == "+" })
	if end < 1 {
		return nil, "-exec needs \\;"
	}
	template, single := f.words[:end], f.words[end] == ";"
	f.words = f.words[end+1:]
	f.acts = true
	return func(ctx context.Context, x found) bool {
		args := make([]string, len(template))
		for i, w := range template {
			args[i] = strings.ReplaceAll(w, "{}", x.name)
		}
		code := f.c.Exec(ctx, args...)
		return code == 0 || !single
	}, ""
}

func (f *finder) condition(word, value string) (test, string) {
	yes := func(b func(found) bool) (test, string) {
		return func(_ context.Context, x found) bool { return b(x) }, ""
	}
	bad := func() (test, string) { return nil, "bad " + word + " '" + value + "'" }
	switch word {
	case "-name", "-iname", "-path", "-wholename":
		fold := word == "-iname"
		if fold {
			value = strings.ToLower(value)
		}
		if _, err := path.Match(value, ""); err != nil {
			return bad()
		}
		return yes(func(x found) bool {
			if word == "-path" || word == "-wholename" {
				return wildcard(value, x.name)
			}
			name := path.Base(x.name)
			if fold {
				name = strings.ToLower(name)
			}
			return wildcard(value, name)
		})
	case "-type":
		kinds := map[string]fs.FileMode{"f": 0, "d": fs.ModeDir, "l": fs.ModeSymlink, "s": fs.ModeSocket, "p": fs.ModeNamedPipe,
			"b": fs.ModeDevice, "c": fs.ModeDevice | fs.ModeCharDevice}
		var want []fs.FileMode
		for _, k := range strings.Split(value, ",") {
			kind, ok := kinds[k]
			if !ok {
				return bad()
			}
			want = append(want, kind)
		}
		return yes(func(x found) bool { return slices.Contains(want, x.info.Mode().Type()) })
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(value)
		if err != nil {
			return bad()
		}
		if word == "-maxdepth" {
			f.maxDepth = n
		} else {
			f.minDepth = n
		}
		return yes(func(found) bool { return true })
	case "-user", "-group":
		id, ok := rootfs.ParseUser(value)
		if !ok {
			return bad()
		}
		return yes(func(x found) bool {
			if word == "-user" {
				return x.info.UID == id
			}
			return x.info.GID == id
		})
	case "-perm":
		mode, ok := parseMode(strings.TrimLeft(value, "-/"), 0, false)
		if !ok {
			return bad()
		}
		return yes(func(x found) bool {
			have := x.info.Mode().Perm()
			switch value[0] {
			case '-':
				return have&mode == mode
			case '/':
				return have&mode != 0
			}
			return have == mode
		})
	case "-size", "-mtime", "-mmin":
		return f.quantity(word, value)
	case "-newer":
		info, err := f.c.FS.Stat(f.c.Path(value))
		if err != nil {
			return nil, "'" + value + "': " + rootfs.Message(err)
		}
		return yes(func(x found) bool { return x.info.ModTime().After(info.ModTime()) })
	case "-empty":
		return yes(func(x found) bool {
			if x.info.IsDir() {
				entries, err := f.c.FS.ReadDir(x.full)
				return err == nil && len(entries) == 0
			}
			return x.info.Mode().IsRegular() && x.info.Size() == 0
		})
	case "-print", "-print0":
		f.acts = true
		end := "\n"
		if word == "-print0" {
			end = "\x00"
		}
		return yes(func(x found) bool { f.c.write(x.name + end); return true })
	case "-delete":
		f.acts, f.depthFirst = true, true
		return yes(func(x found) bool {
			if err := f.c.FS.Remove(x.full); err != nil {
				f.code = f.c.Errorf("%s: %s", x.name, rootfs.Message(err))
				return false
			}
			return true
		})
	case "-depth":
		f.depthFirst = true
	case "-prune":
		return yes(func(found) bool { f.prune = true; return true })
	case "-false":
		return yes(func(found) bool { return false })
	}
	return yes(func(found) bool { return true })
}

// quantity is a condition that compares a number: N, +N or -N.
func (f *finder) quantity(word, value string) (test, string) {
	text := strings.TrimLeft(value, "+-")
	unit := int64(512)
	if word == "-size" && text != "" {
		if i := strings.IndexByte("ckMG", text[len(text)-1]); i >= 0 {
			unit = []int64{1, 1 << 10, 1 << 20, 1 << 30}[i]
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, "bad " + word + " '" + value + "'"
	}
	now := f.c.Shell.clock()
	return func(_ context.Context, x found) bool {
		var have int64
		switch word {
		case "-size":
			have = (x.info.Size() + unit - 1) / unit
		case "-mtime":
			have = int64(now.Sub(x.info.ModTime()) / (24 * time.Hour))
		default:
			have = int64(now.Sub(x.info.ModTime()) / time.Minute)
		}
		switch value[0] {
		case '+':
			return have > n
		case '-':
			return have < n
		}
		return have == n
	}, ""
}

// wildcard matches a shell pattern in which * goes past slashes too.
func wildcard(pattern, name string) bool {
	const slash = "\x01"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(name, "/", slash))
	return err == nil && ok
}
