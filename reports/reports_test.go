package reports_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	ginkgo "github.com/onsi/ginkgo/v2/reporters"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

var update = flag.Bool("update", false, "write golden files and the schema anew")

func write(t testing.TB, format string, a specimen.Audit) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := reports.Write(t.Context(), format, &b, reports.Input{Evidence: a.Evidence, Judgement: a.Judgement}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// golden compares with a file under testdata, which a person has read.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what is written; if that is meant, go test ./reports -update and read the difference\n%s", file, got)
	}
}

// specimens make the invented audits, by name.
var specimens = map[string]func(testing.TB) specimen.Audit{
	"guilty": specimen.Guilty, "innocent": specimen.Innocent, "unread": specimen.Unread, "armed": specimen.Armed, "hostile": specimen.Hostile,
	"empty": func(t testing.TB) specimen.Audit {
		return specimen.Audit{Evidence: specimen.Innocent(t).Evidence, Judgement: &judge.Judgement{}}
	},
}

func TestTextSaysWhatAPersonNeeds(t *testing.T) {
	golden(t, "guilty.txt", write(t, reports.FormatText, specimen.Guilty(t)))
	golden(t, "innocent.txt", write(t, reports.FormatText, specimen.Innocent(t)))
	golden(t, "armed.txt", write(t, reports.FormatText, specimen.Armed(t)))
	golden(t, "unread.txt", write(t, reports.FormatText, specimen.Unread(t)))
}

func TestSameInputSameBytes(t *testing.T) {
	for name, make := range specimens {
		a := make(t)
		for _, format := range reports.Formats() {
			if !bytes.Equal(write(t, format, a), write(t, format, a)) {
				t.Errorf("%s as %s differs from run to run", name, format)
			}
		}
	}
}

// Nothing from an app, a service or a device may steer a terminal, an editor or a browser.
func TestEveryFormatIsInert(t *testing.T) {
	a := specimen.Hostile(t)
	for _, format := range reports.Formats() {
		out := write(t, format, a)
		if !utf8.Valid(out) {
			t.Errorf("%s is no UTF-8", format)
		}
		if len(out) > 12<<20 && format != reports.FormatJSON {
			t.Errorf("%s has %d bytes", format, len(out))
		}
		for _, r := range string(out) {
			if r != '\n' && !unicode.IsPrint(r) && !(format == reports.FormatHTML && r == '\t') {
				t.Errorf("%s holds %U", format, r)
				break
			}
		}
	}
}

func TestNobodyIsCalledCompliant(t *testing.T) {
	for name, make := range specimens {
		if name == "hostile" {
			continue // it may write what it likes
		}
		a := make(t)
		for _, format := range reports.Formats() {
			out := strings.ToLower(string(write(t, format, a)))
			out = strings.ReplaceAll(out, "none of the four means “compliant”", "")
			out = strings.ReplaceAll(out, "“not observed” is never “clean”", "")
			for _, word := range []string{"compliant", "clean", "harmless", "passed all"} {
				if strings.Contains(out, word) {
					t.Errorf("%s as %s says %q", name, format, word)
				}
			}
		}
	}
}

func TestSimulationIsStamped(t *testing.T) {
	simulated, real := specimen.Guilty(t), specimen.Unread(t)
	for _, format := range reports.Formats() {
		stamp := reports.SimulatedStamp
		if format == reports.FormatJSON {
			stamp = `"simulated": true`
		}
		if !bytes.Contains(write(t, format, simulated), []byte(stamp)) {
			t.Errorf("%s lacks the stamp", format)
		}
		if bytes.Contains(write(t, format, real), []byte(stamp)) {
			t.Errorf("%s stamps a real device", format)
		}
	}
}

func TestJUnit(t *testing.T) {
	for name, want := range map[string][3]int{"guilty": {6, 6, 0}, "innocent": {6, 0, 1}, "unread": {6, 0, 6}} {
		a := specimens[name](t)
		var got ginkgo.JUnitTestSuites
		if err := xml.Unmarshal(write(t, reports.FormatJUnit, a), &got); err != nil {
			t.Fatal(err)
		}
		s := got.TestSuites[0]
		if s.Tests != want[0] || s.Failures != want[1] || s.Skipped != want[2] {
			t.Errorf("%s: %d tests, %d failures, %d skipped; want %v", name, s.Tests, s.Failures, s.Skipped, want)
		}
	}
	var got ginkgo.JUnitTestSuites
	if err := xml.Unmarshal(write(t, reports.FormatJUnit, specimen.Guilty(t)), &got); err != nil {
		t.Fatal(err)
	}
	c := got.TestSuites[0].TestCases[0]
	if c.Failure == nil || !strings.Contains(c.Failure.Description, "response body, at $.data.access_token") {
		t.Errorf("the failure does not say where the proof is: %+v", c)
	}
}

// Each question is proved by what was seen in the state that it asks about, and nothing is cut.
func TestJUnitProvesEachQuestion(t *testing.T) {
	var got ginkgo.JUnitTestSuites
	if err := xml.Unmarshal(write(t, reports.FormatJUnit, specimen.Guilty(t)), &got); err != nil {
		t.Fatal(err)
	}
	for _, c := range got.TestSuites[0].TestCases {
		if strings.Contains(c.Name, "without sign-up") {
			t.Errorf("%q says it twice", c.Name)
		}
		if strings.HasSuffix(c.Name, "after rejection") && strings.Contains(c.Failure.Description, "before any choice") {
			t.Errorf("a rejection is answered by what was sent before it:\n%s", c.Failure.Description)
		}
	}
}

func TestBadInput(t *testing.T) {
	a := specimen.Innocent(t)
	in := reports.Input{Evidence: a.Evidence, Judgement: a.Judgement}
	if err := reports.Write(t.Context(), "pdf", &bytes.Buffer{}, in); err == nil || !strings.Contains(err.Error(), "text, html, json, junit") {
		t.Errorf("an unknown format: %v", err)
	}
	if err := reports.Write(t.Context(), reports.FormatHTML, &bytes.Buffer{}, reports.Input{}); err == nil {
		t.Error("no error without evidence")
	}
	for _, format := range reports.Formats() {
		if err := reports.Write(t.Context(), format, full{}, in); !errors.Is(err, errFull) {
			t.Errorf("%s on a full disk: %v", format, err)
		}
		if reports.Extension(format) == "" {
			t.Errorf("%s has no extension", format)
		}
	}
	// A changed bundle is an error, and no report.
	log := filepath.Join(a.Dir, "log.jsonl")
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, bytes.Replace(raw, []byte("pantry.example"), []byte("pentry.example"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Open(a.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := reports.Write(t.Context(), reports.FormatHTML, &bytes.Buffer{}, reports.Input{Evidence: bundle, Judgement: a.Judgement}); !errors.Is(err, evidence.ErrBroken) {
		t.Errorf("changed evidence: %v", err)
	}
}

var errFull = errors.New("no space left on device")

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestJUnitSaysTheCoverage(t *testing.T) {
	got := string(write(t, reports.FormatJUnit, specimen.Guilty(t)))
	for _, says := range []string{`name="coverage" value="78.2 % of what the app sent was read`, `name="bytes before a choice that could not be read" value="4.4 kB"`} {
		if !strings.Contains(got, says) {
			t.Errorf("it does not say %s:\n%s", says, got)
		}
	}
}
