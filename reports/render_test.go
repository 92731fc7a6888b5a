package reports_test

import (
	"os"
	"testing"

	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

func TestTmpRender(t *testing.T) {
	for name, a := range map[string]specimen.Audit{"guilty": specimen.Guilty(t)} {
		for _, f := range reports.Formats() {
			out, _ := os.Create("/tmp/h_" + name + reports.Extension(f))
			if err := reports.Write(t.Context(), f, out, reports.Input{Evidence: a.Evidence, Judgement: a.Judgement}); err != nil {
				t.Error(err)
			}
			out.Close()
		}
	}
}
