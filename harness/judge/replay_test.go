package judge_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

var update = flag.Bool("update", false, "write the findings anew; read the difference before it is committed")

// TestReplay judges the evidence of an audit that was made once, on the embedded
// device, and must find what is committed beside it, byte for byte.
func TestReplay(t *testing.T) {
	const archive, golden = "testdata/clipshare.tar.gz", "testdata/clipshare.findings.json"
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v: %s", archive, err, out)
	}
	bundle, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Judge(t.Context(), bundle, kb)
	if err != nil {
		t.Fatal(err)
	}
	got, err := j.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the findings are not those of %s; run `go test ./harness/judge -run TestReplay -update` and read the difference", golden)
	}
	if j.Verdict != judge.Violated || j.Ladder != 5 || len(j.Findings) < 10 {
		t.Errorf("verdict %s, ladder %d, %d findings: this is no audit of the guilty app", j.Verdict, j.Ladder, len(j.Findings))
	}
}
