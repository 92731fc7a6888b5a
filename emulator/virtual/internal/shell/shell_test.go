package shell

import (
	"bytes"
	"context"
	"strings"
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
	code     int
	out, err string
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
	return result{code, out.String(), errOut.String()}
}

func TestSmoke(t *testing.T) {
	s := newShell(t)
	for _, script := range []string{"id; whoami; ls -l /; echo $$ $PPID $0", "ls /data/data", "cd /nowhere", "foo", "exec echo hi", "export ANDROID_LOG_TAGS=\"''\"; exec logcat '-d'",
		"command -v ls; command -v cd; f(){ :; }; command -v f; command -v nope; echo $?", "type ls cd nope", "echo 'a\\nb'; echo -n x; pwd -P; cd /sdcard; pwd; pwd -P; ls",
		"cat < /x; echo a > /system/y; echo $?", "echo x > /data/local/tmp/f; cat /data/local/tmp/f; ls -l /data/local/tmp", ". /data/local/tmp/none; echo after", "yes | head -2", "while true; do echo y; done | head -1", "sleep 0.1 & wait; echo ok", "for i in 1 2; do echo $i; done | wc -l", "cat <(echo a)", "eval 'cat <(echo a)'; echo $?", "f() { f; }; f", "stat /data/local/tmp", "mount | head -3", "ps -A", "(sleep 0.2; echo late) & echo now", "echo ~root ~", "[ -O / ]; echo $?", "test -r /data/data; echo $?", "/data/local/tmp/f", "kill -9 1; kill $$"} {
		r := runAs(t, s, 2000, script, "")
		t.Logf("%s\n-> %d\n%s--\n%s", script, r.code, r.out, r.err)
	}
}
