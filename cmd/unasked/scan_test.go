package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmpjson compares files of JSON lines, whatever order the lines have, in the members
// that the second file has: cmpjson FILE WANT.
func cmpjson(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpjson FILE WANT")
	}
	lines := func(name string) []map[string]any {
		var list []map[string]any
		for line := range strings.Lines(ts.ReadFile(name)) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				ts.Fatalf("%s: %v: %s", name, err, line)
			}
			list = append(list, v)
		}
		return list
	}
	text := func(list []map[string]any, members []string) []string {
		var out []string
		for _, v := range list {
			kept := map[string]any{}
			for _, m := range members {
				kept[m] = v[m]
			}
			line, _ := json.Marshal(kept)
			out = append(out, string(line))
		}
		slices.Sort(out)
		return out
	}
	want := lines(args[1])
	members := slices.Collect(maps.Keys(want[0]))
	got, wanted := text(lines(args[0]), members), text(want, members)
	if !slices.Equal(got, wanted) {
		ts.Fatalf("%s has\n%s\nwant\n%s", args[0], strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

// A huge file is scanned as a stream: it comes through a pipe, and memory stays small.
func TestScanHugeFile(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("scans 300 MB and asks /proc how much memory that took")
	}
	const size = 300 << 20
	ids := filepath.Join(t.TempDir(), "ids.yaml")
	value := "marigold.kestrel77@example.org"
	if err := os.WriteFile(ids, []byte("- kind: email\n  value: "+value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "unasked")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "scan", "-", "--identities", ids, "--json")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	memory := watchMemory(cmd.Process.Pid, done)
	entries := hugeHAR(in, size, value)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // exits with 1
	close(done)
	most := <-memory
	if cmd.ProcessState.ExitCode() != exitViolated {
		t.Fatalf("exit %d\n%s", cmd.ProcessState.ExitCode(), errs.String())
	}
	if most == 0 || most > 200<<20 {
		t.Errorf("it took %d MiB of memory", most>>20)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 || !strings.Contains(out.String(), fmt.Sprintf(`"entry":%d,`, entries-1)) {
		t.Errorf("%d findings: %.500s", n, out.String())
	}
}

// hugeHAR writes a HAR of at least size bytes, whose last entry sends a value.
func hugeHAR(w io.Writer, size int, value string) (entries int) {
	picture := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAA", 40<<10)
	fmt.Fprint(w, `{"log":{"version":"1.2","entries":[`)
	for written := 0; written < size; entries++ {
		n, err := fmt.Fprintf(w, `{"request":{"method":"GET","url":"https://a.example.com/%d"},"response":{"status":200,"headers":[{"name":"Content-Type","value":"image/png"}],"content":{"mimeType":"image/png","encoding":"base64","text":"%s%06d"}}},`, entries, picture, entries)
		if err != nil {
			return entries
		}
		written += n
	}
	fmt.Fprintf(w, `{"request":{"method":"GET","url":"https://a.example.com/?m=%s"}}]}}`, value)
	return entries + 1
}
