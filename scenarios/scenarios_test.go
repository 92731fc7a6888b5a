package scenarios_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/scenarios"
)

// Ginkgo runs once a process, so each judgement is asked in a process of its own: this
// test binary, told by this variable which judgement to read.
const childEnv = "UNASKED_TEST_JUDGEMENT"

// outcome is what the child prints.
type outcome struct {
	Result scenarios.Result
	Output string
	Told   bool // that something failed
}

func TestMain(m *testing.M) {
	file := os.Getenv(childEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	if err := child(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var j judge.Judgement
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	var output bytes.Buffer
	var told failer
	r, err := scenarios.Run(context.Background(), &j, scenarios.Options{Output: &output, JUnit: os.Getenv("JUNIT"), T: &told})
	if err != nil {
		return err
	}
	_, again := scenarios.Run(context.Background(), &j, scenarios.Options{})
	if !errors.Is(again, scenarios.ErrAlreadyRan) {
		return fmt.Errorf("a second Run: %v", again)
	}
	return json.NewEncoder(os.Stdout).Encode(outcome{Result: r, Output: output.String(), Told: bool(told)})
}

type failer bool

func (f *failer) Fail() { *f = true }

// ask runs the specs over j in a process of its own.
func ask(t *testing.T, j *judge.Judgement, junit string) outcome {
	t.Helper()
	raw, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "judgement.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+file, "JUNIT="+junit)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var o outcome
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("the child printed more than its result: %v\n%s", err, out)
	}
	return o
}

// rerun runs one test of this binary in a process of its own.
func rerun(t *testing.T, test string, env ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run="+test, "-test.v")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// verdicts is a judgement that answers each question in a different way.
func verdicts() *judge.Judgement {
	return &judge.Judgement{
		Verdict: judge.Violated,
		Ladder:  3,
		Questions: []judge.Question{
			{ID: judge.QuestionAccount, Title: "creates no account without sign-up", Verdict: judge.Violated,
				Because: "An account was issued and used before any choice.", Findings: []string{"aa11"}},
			{ID: judge.QuestionIdentifier, Title: "sends no identifier without sign-up", Verdict: judge.NotObserved},
			{ID: judge.QuestionBeforeConsent, Title: "sends no identifier before a choice", Verdict: judge.Inconclusive,
				Because: "A connection could not be read."},
			{ID: judge.QuestionAfterReject, Title: "sends no identifier after rejection", Verdict: judge.NotApplicable,
				Because: "No consent dialog was found."},
			{ID: judge.QuestionDraft, Title: "uploads no draft", Verdict: "compliant"},
		},
		Findings: []judge.Finding{{
			ID: "aa11", Claim: judge.AccountCreated, Level: 3, Title: "An account was created and its token used",
			Host: "api.example", Owner: "Clip Ltd", Country: "CN", Phase: "untouched", Consent: evidence.Untouched,
			Proof: []judge.Pointer{
				{Event: 41, Flow: "f7", Side: "response", Surface: "body:$.token", Excerpt: "\x1b[2Jtok"},
				{Event: 44, Flow: "f9", Side: "request", Surface: "header:Authorization"},
			},
			Seen: judge.Repeats{Times: 2, Of: 3},
		}},
		BlindSpots: []judge.BlindSpot{
			{What: "pinned.example refused our certificate\x1b[31m", Hides: []string{judge.QuestionBeforeConsent}, Do: "audit it with a bypass"},
			{What: "something else", Hides: []string{judge.QuestionDraft}},
		},
	}
}

func TestVerdictsBecomeStates(t *testing.T) {
	junit := filepath.Join(t.TempDir(), "junit.xml")
	o := ask(t, verdicts(), junit)

	if got := o.Result; got.Passed != 1 || got.Failed != 2 || got.Skipped != 7 {
		t.Errorf("passed %d, failed %d, skipped %d; want 1, 2, 7\n%s", got.Passed, got.Failed, got.Skipped, o.Output)
	}
	for _, c := range []struct {
		question, text, state string
		says                  []string
		not                   []string
	}{
		{judge.QuestionAccount, "without signing up creates no account", scenarios.Failed,
			[]string{"VIOLATED", "An account was created and its token used", "api.example (Clip Ltd, China)", "in phase untouched, before any choice",
				"in 2 of 3 repeats", "event 41, flow f7, response body, at $.token", "1 more place"}, nil},
		{judge.QuestionIdentifier, "without signing up sends no identifier", scenarios.Passed, nil, nil},
		{judge.QuestionBeforeConsent, "without signing up sends no identifier before a choice", scenarios.Skipped,
			[]string{"INCONCLUSIVE", "pinned.example refused our certificate⟨U+001B⟩[31m", "audit it with a bypass"}, []string{"something else", "\x1b"}},
		{judge.QuestionAfterReject, "without signing up sends no identifier after rejection", scenarios.Skipped,
			[]string{"NOT APPLICABLE", "No consent dialog was found."}, nil},
		{judge.QuestionDraft, "without signing up uploads no draft", scenarios.Failed, []string{`"compliant"`}, nil},
		{judge.QuestionDeviceAccount, "without signing up leaves no account on the device", scenarios.Skipped, []string{"NOT ASKED"}, nil},
		{judge.QuestionRecoverable, "without signing up keeps no account that comes back", scenarios.Skipped, []string{"NOT ASKED"}, nil},
	} {
		t.Run(c.question, func(t *testing.T) {
			var found *scenarios.Spec
			for i := range o.Result.Specs {
				if o.Result.Specs[i].Question == c.question {
					found = &o.Result.Specs[i]
				}
			}
			if found == nil {
				t.Fatalf("no spec asks it: %+v", o.Result.Specs)
			}
			if found.Text != c.text || found.State != c.state {
				t.Errorf("got %q %s, want %q %s", found.Text, found.State, c.text, c.state)
			}
			for _, want := range c.says {
				if !strings.Contains(found.Message, want) {
					t.Errorf("the message lacks %q:\n%s", want, found.Message)
				}
			}
			for _, not := range c.not {
				if strings.Contains(found.Message, not) {
					t.Errorf("the message has %q:\n%s", not, found.Message)
				}
			}
		})
	}
	if !o.Told {
		t.Error("T was not told of a violated question")
	}
	if strings.Contains(o.Output, "\x1b") {
		t.Errorf("the output to a file holds escape sequences:\n%q", o.Output)
	}
	checkJUnit(t, junit)
}

func checkJUnit(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suites reporters.JUnitTestSuites
	if err := xml.Unmarshal(raw, &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 10 || suites.Failures != 2 {
		t.Errorf("JUnit: %d tests, %d failures\n%s", suites.Tests, suites.Failures, raw)
	}
	first := suites.TestSuites[0].TestCases[0]
	if first.Name != "without signing up creates no account" || first.Failure == nil || !strings.Contains(first.Failure.Message, "api.example") {
		t.Errorf("JUnit: %+v", first)
	}
}

func TestNothingViolatedPasses(t *testing.T) {
	o := ask(t, quiet(), "")
	if o.Told || o.Result.Failed != 0 || o.Result.Skipped != 4 || o.Result.Passed != 6 {
		t.Errorf("%+v\n%s", o.Result, o.Output)
	}
}

// quiet is a judgement in which nothing was observed.
func quiet() *judge.Judgement {
	j := &judge.Judgement{Verdict: judge.NotObserved}
	for _, id := range []string{judge.QuestionAccount, judge.QuestionIdentifier, judge.QuestionBeforeConsent,
		judge.QuestionAfterReject, judge.QuestionDraft, judge.QuestionDeviceAccount} {
		j.Questions = append(j.Questions, judge.Question{ID: id, Title: id, Verdict: judge.NotObserved})
	}
	return j
}

func TestRunNeedsAJudgement(t *testing.T) {
	if _, err := scenarios.Run(t.Context(), nil, scenarios.Options{}); err == nil {
		t.Error("no error without a judgement")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scenarios.Run(ctx, quiet(), scenarios.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
