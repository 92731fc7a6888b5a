package shell

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// newShell makes a device's shell in a fresh folder.
func newShell(t testing.TB) *Shell {
	t.Helper()
	tree, err := rootfs.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return New(tree)
}

// result is what a script left behind.
type result struct {
	out, err string
	code     int
}

// runAs runs a script as a user, within a time that no test needs.
func runAs(t testing.TB, s *Shell, uid int, script, stdin string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out, errOut bytes.Buffer
	code := s.Run(ctx, Session{UID: uid, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errOut}, script)
	if ctx.Err() != nil {
		t.Fatalf("%q did not end", script)
	}
	return result{out.String(), errOut.String(), code}
}

// step is one script and what it must leave.
type step struct {
	script string
	want   result
}

// check runs scripts one after the other on one device, in /data/local/tmp.
func check(t *testing.T, s *Shell, uid int, steps []step) {
	t.Helper()
	for _, st := range steps {
		got := runAs(t, s, uid, "cd /data/local/tmp; "+st.script, "")
		if got != st.want {
			t.Errorf("%s\n got %+v\nwant %+v", st.script, got, st.want)
		}
	}
}

func out(text string) result             { return result{out: text} }
func fails(text string, code int) result { return result{err: text, code: code} }

func TestLanguage(t *testing.T) {
	s := newShell(t)
	check(t, s, rootfs.Shell, []step{
		{"nonesuch a b", fails("/system/bin/sh: nonesuch: inaccessible or not found\n", 127)},
		{"/none/such", fails("/system/bin/sh: /none/such: inaccessible or not found\n", 127)},
		{"exec nonesuch; echo no", fails("/system/bin/sh: nonesuch: inaccessible or not found\n", 127)},
		{"export ANDROID_LOG_TAGS=\"''\"; exec printenv ANDROID_LOG_TAGS; echo no", out("''\n")},
		{"exec echo a b", out("a b\n")},
		{"echo 'a\\tb\\0101\\x42\\c'; echo -E 'a\\tb'; echo -n x", out("a\tbABa\\tb\nx")},
		{"false || echo $?; true && (exit 3); echo $?", out("1\n3\n")},
		{"f() { echo $1; return 4; }; f x; echo $?", out("x\n4\n")},
		{"for i in *; do echo $i; done; echo $((6*7)) ${#HOME} ${X:-d}", out("*\n42 1 d\n")},
		{"x=$(id -u); case $x in 2000) echo shell;; *) echo other;; esac", out("shell\n")},
		{"printf '%s-%03d\\n' a 7 b 8; [ a = a ] && [[ ab == a* ]] && echo ok", out("a-007\nb-008\nok\n")},
		{"echo a | while read x; do echo got $x; done; cat <<E\n$((1+1))\nE", out("got a\n2\n")},
		{"(sleep 0.1; echo late) & echo now; wait; echo done", out("now\nlate\ndone\n")},
		{"(sleep 0.1; echo late) & echo now", out("now\nlate\n")},
		{"(sleep 0.1; echo late) & (sleep 0.05; echo soon &) ; sh -c '(sleep 0.2; echo later) &'; echo now", out("soon\nlate\nlater\nnow\n")},
		{"(exit 5) & wait $!; echo $?; { false & wait $!; } || echo failed; x=$(echo a & wait); echo $x; false & echo $?", out("5\nfailed\na\n0\n")},
		{"set -e; false; echo no", result{code: 1}},
		{"trap 'echo bye' EXIT INT; trap - TERM; trap '' HUP; exit 6", result{out: "bye\n", code: 6}},
		{"yes | head -n 1; while true; do echo y; done | head -n 1", out("y\ny\n")},
		{"echo one > f; echo two >> f; cat < f; { echo e >&2; } 2> g; cat g", out("one\ntwo\ne\n")},
		{"echo x > /dev/tty; echo y > /dev/stdout; echo z > /dev/stderr; echo n > /dev/null", result{out: "x\ny\n", err: "z\n"}},
		{"echo script $0 $1 > s.sh; echo 'echo \"$0 $1\"' > s.sh; sh s.sh arg; chmod 755 s.sh; ./s.sh arg; sh -c 'echo $0 $1' a b", out("s.sh arg\n./s.sh arg\na b\n")},
		{"printf '#!/system/bin/cat\\nbody\\n' > c; chmod +x c; ./c", out("#!/system/bin/cat\nbody\n")},
		{"printf '\\177ELF' > elf; chmod +x elf; ./elf", fails("/system/bin/sh: ./elf: not executable: magic 7F45: this device runs no machine code\n", 126)},
		{"echo x > noexec; ./noexec", fails("/system/bin/sh: ./noexec: can't execute: Permission denied\n", 126)},
		{"cat < /none; echo $?; echo a > /system/a; echo $?", result{"1\n1\n", "/system/bin/sh: can't open /none: No such file or directory\n/system/bin/sh: can't create /system/a: Read-only file system\n", 0}},
		{"cd /none", fails("/system/bin/sh: cd: /none: No such file or directory\n", 2)},
		{"cd /system/build.prop || cd /data/data/x || cd /data/app/../../sdcard && pwd && cd - && pwd -P", result{"/sdcard\n/data/local/tmp\n/data/local/tmp\n",
			"/system/bin/sh: cd: /system/build.prop: No such file or directory\n/system/bin/sh: cd: /data/data/x: No such file or directory\n", 0}},
		{"cd /sdcard; pwd; pwd -P; builtin pwd -P; command pwd -P; echo $PWD", out("/sdcard\n/storage/emulated/0\n/storage/emulated/0\n/storage/emulated/0\n/sdcard\n")},
		{"echo 'v=7; return 3' > lib; . ./lib; echo $? $v; . /none; . lib2", result{"3 7\n", "/system/bin/sh: .: /none: No such file or directory\n/system/bin/sh: .: lib2: No such file or directory\n", 1}},
		{"command -v ls cd; f() { :; }; command -v f; command -v nope; echo $?; type ls cd nope; which ls nope", result{"/system/bin/ls\ncd\nf\n1\nls is /system/bin/ls\ncd is a shell builtin\nnope not found\n/system/bin/ls\n", "", 1}},
		{"command -v /system/bin/ls /etc/hostname; command echo hi; builtin echo ho; env X=1 sh -c 'echo $X'", out("/system/bin/ls\nhi\nho\n1\n")},
		{"ls | wc -l > /dev/null; ps -o PID= -p $$ | tr -d ' ' > pid; [ $(cat pid) = $$ ] && echo same", out("same\n")},
		{"pushd /; help; shopt", fails("/system/bin/sh: pushd: inaccessible or not found\n/system/bin/sh: help: inaccessible or not found\n/system/bin/sh: shopt: inaccessible or not found\n", 127)},
		{"if true", fails("/system/bin/sh: <stdin>[1]: syntax error: `if <cond>` must be followed by `then`\n", 1)},
		{"f() { f; }; f", fails("/system/bin/sh: functions call each other too deeply\n", 1)},
		{"umask; toybox echo via; test -d / ; echo $?; kill -0 $$; echo $?", out("000\nvia\n0\n0\n")},
		{"sh -c 'sh -c \"exit 9\"'; echo $?; timeout 0.1 sleep 9; echo $?; xargs -n 1 echo x < /dev/null", out("9\n124\nx\n")},
	})
}

func TestNestedShellsEnd(t *testing.T) {
	s := newShell(t)
	got := runAs(t, s, rootfs.Shell, "echo 'sh /data/local/tmp/again' > /data/local/tmp/again; sh /data/local/tmp/again", "")
	if got.err != "sh: too many shells within shells\n" || got.code != 1 {
		t.Errorf("a script that runs itself: %+v", got)
	}
}

// TestCommandsOnInput gives the commands on standard input, as adb shell without one does.
func TestCommandsOnInput(t *testing.T) {
	s := newShell(t)
	for stdin, want := range map[string]result{
		"echo a; if true\nthen echo b\nfi\n":            out("a\nb\n"),
		"cat\nthe rest is cat's\n":                      out("the rest is cat's\n"),
		"read x\nvalue\necho got $x\nexit 3\necho no\n": {out: "got value\n", code: 3},
		"f(\necho still\n":                              {out: "still\n", err: "/system/bin/sh: <stdin>[1]: syntax error: `foo(` must be followed by `)`\n"},
		"nonesuch":                                      fails("/system/bin/sh: nonesuch: inaccessible or not found\n", 127),
		"":                                              {},
	} {
		if got := runAs(t, s, rootfs.Shell, "", stdin); got != want {
			t.Errorf("%q\n got %+v\nwant %+v", stdin, got, want)
		}
	}
}

// TestHostIsOutOfReach tries what the interpreter itself would do on the host.
func TestHostIsOutOfReach(t *testing.T) {
	s := newShell(t)
	host := t.TempDir()
	t.Setenv("SECRET_OF_THE_HOST", "leaked")
	for _, script := range []string{
		"cat /etc/passwd", "cat /proc/self/environ", "echo ~root/x", "echo $SECRET_OF_THE_HOST", "env", "cd " + host, ". " + host + "/x", "ls " + host, "test -d " + host,
		"[ -e " + host + " ]", "command -v bash", "type -p bash; type bash", "echo " + host + "/../*", "/bin/bash -c id", "/usr/bin/id", "exec /usr/bin/id",
		"eval 'cat <(echo fifo)'", "echo x > " + host + "/made", "mkdir " + host + "/made", "cd /; pwd -P; cd " + host, "[ -O /etc/passwd ]", "[[ /etc/passwd -nt /etc/hosts ]]",
		"PATH=/usr/bin:/bin:$PATH; bash -c 'echo ran'; python3 -c 'print(1)'", "hash bash; hash -p /usr/bin/id id",
	} {
		got := runAs(t, s, rootfs.Root, script, "")
		for _, leak := range []string{"root:x", "leaked", "fifo", "ran", host + "\n", "/bin/bash\n", "/root"} {
			if strings.Contains(got.out, leak) {
				t.Errorf("%s: the host's %q is in %+v", script, leak, got)
			}
		}
		if strings.HasPrefix(script, "test -d") || strings.HasPrefix(script, "[ -e") || strings.HasPrefix(script, "command -v") {
			if got.code == 0 {
				t.Errorf("%s: found on the host", script)
			}
		}
	}
	if entries := runAs(t, s, rootfs.Root, "ls "+host+"; ls /tmp", ""); entries.out != "" {
		t.Errorf("%+v", entries)
	}
}

// TestHangUp ends a session from outside, whatever it is doing.
func TestHangUp(t *testing.T) {
	s := newShell(t)
	for _, script := range []string{"sleep 1000", "while :; do :; done", "yes > /dev/null", "cat", "sleep 1000 & wait", "sleep 1000 | cat", "tail -f /proc/mounts", "read x", "(while :; do :; done) & wait",
		"sh -c 'sleep 1000'", "", "timeout 900 sleep 1000", "find / -exec sleep 1000 \\;"} {
		ctx, cancel := context.WithCancel(t.Context())
		in, closeIn := blockedInput()
		done := make(chan int, 1)
		go func() { done <- s.Run(ctx, Session{UID: rootfs.Shell, Stdin: in}, script) }()
		for len(s.Processes().List()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Errorf("%q goes on after its session's end", script)
		}
		closeIn()
	}
}

func TestSignals(t *testing.T) {
	s := newShell(t)
	var got []int
	pid, remove := s.Processes().Add(Process{UID: 10100, PPID: 1, Name: "org.example.one", Kill: func(n int) error { got = append(got, n); return nil }})
	defer remove()
	check(t, s, rootfs.Shell, []step{
		{"kill 3000", fails("kill: 3000: Operation not permitted\n", 1)},
		{"kill 99", fails("kill: 99: No such process\n", 1)},
		{"kill -FOO 3000", fails("kill: bad signal 'FOO'\n", 1)},
		{"pidof org.example.one; pgrep example", out("3000\n3000\n")},
	})
	check(t, s, rootfs.Root, []step{{"kill 3000; kill -9 3000; kill -s INT 3000; pkill -HUP one", out("")}})
	if pid != 3000 || len(got) != 4 || got[0] != 15 || got[1] != 9 || got[2] != 2 || got[3] != 1 {
		t.Errorf("process %d got %v", pid, got)
	}
}

// TestRunWaits checks that nothing of a session runs on after Run, nor writes
// to what the caller gave it.
func TestRunWaits(t *testing.T) {
	s := newShell(t)
	started, ended := make(chan struct{}), atomic.Bool{}
	s.Register("slow", func(ctx context.Context, c *Call) int {
		close(started)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		c.Printf("late\n")
		ended.Store(true)
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	var out bytes.Buffer // not safe for concurrent use: the race detector watches
	s.Run(ctx, Session{UID: rootfs.Shell, Stdout: &out}, "(slow &) ; true")
	if !ended.Load() {
		t.Error("Run returned before what it had started")
	}
	_ = out.String()
	if len(s.Processes().List()) != 0 {
		t.Errorf("still listed: %v", s.Processes().List())
	}
}
