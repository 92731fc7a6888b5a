package reports_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A report is made from evidence and a judgement, anywhere: nothing in it reaches for a device, a
// network capture or the audit that made the evidence. Neither does a scenario.
func TestNothingReachesForADevice(t *testing.T) {
	const module = "github.com/unasked-audit/unasked/"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"reports", module+"scenarios").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		for _, not := range []string{"emulator", "harness/adb", "harness/device", "harness/capture", "harness/audit", "harness/consent", "cmd"} {
			if rest, ok := strings.CutPrefix(dep, module+not); ok && (rest == "" || rest[0] == '/') {
				t.Errorf("reports or scenarios depend on %s", dep)
			}
		}
	}
}
