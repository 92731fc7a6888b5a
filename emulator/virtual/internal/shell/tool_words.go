package shell

import (
	"context"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// cmdEcho is mksh's: backslashes are escapes unless -E is given.
func cmdEcho(_ context.Context, c *Call) int {
	args, escapes, newline := c.Args[1:], true, "\n"
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, f := range args[0][1:] {
			switch f {
			case 'n':
				newline = ""
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text, stop := strings.Join(args, " "), false
	if escapes {
		text, stop = unescape(text)
	}
	if stop {
		newline = ""
	}
	return c.write(text + newline)
}

// cmdPrint is Korn's: as echo, with -r for no escapes.
func cmdPrint(_ context.Context, c *Call) int {
	args, escapes, newline := c.Args[1:], true, "\n"
	for len(args) > 0 && len(args[0]) > 0 && args[0][0] == '-' {
		flag := args[0]
		args = args[1:]
		escapes = escapes && !strings.Contains(flag, "r")
		if strings.Contains(flag, "n") {
			newline = ""
		}
		if flag == "-" || flag == "--" {
			break
		}
	}
	text := strings.Join(args, " ")
	if escapes {
		text, _ = unescape(text)
	}
	return c.write(text + newline)
}

// write prints on standard output, and fails where nobody takes it.
func (c *Call) write(text string) int {
	if _, err := io.WriteString(c.Stdout, text); err != nil {
		return 1
	}
	return 0
}

// unescape replaces echo's backslash escapes; stop is whether \c ended it.
func unescape(s string) (out string, stop bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'c':
			return b.String(), true
		case 'e', 'E':
			b.WriteByte(0x1b)
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case '\\':
			b.WriteByte('\\')
		case '0':
			end := i + 1
			for end < len(s) && end < i+4 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseUint("0"+s[i+1:end], 8, 16)
			b.WriteByte(byte(n))
			i = end - 1
		case 'x':
			end := i + 1
			for end < len(s) && end < i+3 && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 {
				end++
			}
			if n, err := strconv.ParseUint(s[i+1:end], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i = end - 1
				continue
			}
			b.WriteString(`\x`)
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String(), false
}

// The interpreter has printf and test; as programs they are run through it.

func cmdPrintf(ctx context.Context, c *Call) int { return runBuiltin(ctx, c, "printf") }

func cmdTest(ctx context.Context, c *Call) int {
	return runBuiltin(ctx, c, path.Base(c.Args[0]))
}

func runBuiltin(ctx context.Context, c *Call, name string) int {
	return c.Script(ctx, c.UID, name+` "$@"`, append([]string{name}, c.Args[1:]...)...)
}

func cmdPwd(_ context.Context, c *Call) int {
	c.Printf("%s\n", path.Clean(c.Dir))
	return 0
}

func cmdPhysicalPwd(_ context.Context, c *Call) int {
	real, err := c.FS.Realpath(c.Dir)
	if err != nil {
		real = c.Dir
	}
	c.Printf("%s\n", real)
	return 0
}

// cmdRefuse prints why a builtin failed: exit code, builtin, operand, message.
func cmdRefuse(_ context.Context, c *Call) int {
	if len(c.Args) < 5 {
		return 1
	}
	fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: %s: %s\n", c.Args[2], c.Args[3], c.Args[4])
	code, _ := strconv.Atoi(c.Args[1])
	return code
}

func cmdUmask(_ context.Context, c *Call) int {
	if len(c.Args) == 1 {
		c.Printf("000\n")
	}
	return 0
}

func cmdUlimit(_ context.Context, c *Call) int {
	if len(c.Args) == 1 {
		c.Printf("unlimited\n")
	}
	return 0
}

func cmdNoJob(_ context.Context, c *Call) int {
	fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: no such job\n", path.Base(c.Args[0]))
	return 2
}

func cmdYes(ctx context.Context, c *Call) int {
	text := "y"
	if len(c.Args) > 1 {
		text = strings.Join(c.Args[1:], " ")
	}
	block := strings.Repeat(text+"\n", 1+4096/(len(text)+1))
	for ctx.Err() == nil {
		if c.write(block) != 0 {
			break
		}
	}
	return 1
}

func cmdSeq(ctx context.Context, c *Call) int {
	args := c.Args[1:]
	if len(args) == 0 || len(args) > 3 {
		c.need(options{}, 1)
		return 1
	}
	first, step, last := 1.0, 1.0, 0.0
	var numbers []float64
	for _, a := range args {
		n, err := strconv.ParseFloat(a, 64)
		if err != nil {
			return c.Errorf("bad number '%s'", a)
		}
		numbers = append(numbers, n)
	}
	last = numbers[len(numbers)-1]
	if len(numbers) > 1 {
		first = numbers[0]
	}
	if len(numbers) > 2 {
		step = numbers[1]
	}
	for i := 0; ctx.Err() == nil; i++ {
		n := first + float64(i)*step
		if step == 0 || step > 0 && n > last || step < 0 && n < last {
			break
		}
		if c.write(strconv.FormatFloat(n, 'f', -1, 64)+"\n") != 0 {
			return 1
		}
	}
	return 0
}

// cmdExpr does integer arithmetic and comparison of two operands.
func cmdExpr(_ context.Context, c *Call) int {
	if len(c.Args) != 4 {
		return c.Errorf("only A OP B is understood here")
	}
	a, errA := strconv.ParseInt(c.Args[1], 10, 64)
	b, errB := strconv.ParseInt(c.Args[3], 10, 64)
	var n int64
	switch op := c.Args[2]; {
	case op == "=":
		n = int64(btoi(c.Args[1] == c.Args[3]))
	case op == "!=":
		n = int64(btoi(c.Args[1] != c.Args[3]))
	case errA != nil || errB != nil:
		return c.Errorf("not integer")
	case op == "+":
		n = a + b
	case op == "-":
		n = a - b
	case op == "*":
		n = a * b
	case (op == "/" || op == "%") && b == 0:
		return c.Errorf("division by zero")
	case op == "/":
		n = a / b
	case op == "%":
		n = a % b
	case op == "<":
		n = int64(btoi(a < b))
	case op == ">":
		n = int64(btoi(a > b))
	case op == "<=":
		n = int64(btoi(a <= b))
	case op == ">=":
		n = int64(btoi(a >= b))
	default:
		return c.Errorf("bad operator '%s'", op)
	}
	c.Printf("%d\n", n)
	return btoi(n == 0)
}
