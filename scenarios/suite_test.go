package scenarios_test

import (
	"os"
	"testing"

	"github.com/unasked-audit/unasked/scenarios"
)

func TestScenarios(t *testing.T) {
	if _, err := scenarios.Run(t.Context(), quiet(), scenarios.Options{Output: os.Stdout, T: t}); err != nil {
		t.Fatal(err)
	}
}
