package reports_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	invopop "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

const schemaFile = "../docs/report.schema.json"

// schema is made from the Go types and their comments.
func schema(t testing.TB, strict bool) []byte {
	t.Helper()
	r := &invopop.Reflector{
		BaseSchemaID:              "https://github.com/unasked-audit/unasked/docs",
		AllowAdditionalProperties: !strict,
		Mapper: func(of reflect.Type) *invopop.Schema {
			switch of {
			case reflect.TypeFor[judge.Verdict]():
				return enum("the answer to a question; there is no compliant", judge.Violated, judge.NotObserved, judge.Inconclusive, judge.NotApplicable)
			case reflect.TypeFor[evidence.Consent]():
				return enum("what the person had said", evidence.Untouched, evidence.Choosing, evidence.Rejected, evidence.Accepted, evidence.Ignored, evidence.Withdrawn)
			case reflect.TypeFor[judge.Basis]():
				return enum("what bytes were counted on: connections as they were on the wire, or requests as they were read", judge.OnTheWire, judge.InRequests)
			case reflect.TypeFor[evidence.Digest]():
				return &invopop.Schema{Type: "string", Pattern: "^([0-9a-f]{64})?$", Description: "a SHA-256 in hexadecimal digits"}
			}
			return nil
		},
	}
	for _, dir := range []string{".", "../harness/judge", "../harness/evidence", "../harness/canary", "../harness/flow"} {
		comments(t, r, dir)
	}
	s := r.Reflect(&reports.Report{})
	s.ID = "https://github.com/unasked-audit/unasked/docs/report.schema.json"
	s.Title = "unasked report"
	s.Description = "The JSON report of an audit, format " + reports.ReportFormat + ". Readers must ignore fields that they don't know."
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// comments reads the doc comments of a folder's types; they become descriptions.
func comments(t testing.TB, r *invopop.Reflector, dir string) {
	t.Helper()
	if err := r.AddGoComments("github.com/unasked-audit/unasked/reports", dir, invopop.WithFullComment()); err != nil {
		t.Fatal(err)
	}
}

func enum[T ~string](says string, values ...T) *invopop.Schema {
	s := &invopop.Schema{Type: "string", Description: says}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

func TestSchemaIsCurrent(t *testing.T) {
	got := schema(t, false)
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the types say: go test ./reports -run TestSchemaIsCurrent -update", schemaFile)
	}
}

func compile(t testing.TB, raw []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONFitsTheSchema(t *testing.T) {
	published, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	open, strict := compile(t, published), compile(t, schema(t, true))
	for _, name := range []string{"guilty", "innocent", "unread", "armed", "empty"} {
		raw := write(t, reports.FormatJSON, specimens[name](t))
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if name == "empty" { // a judgement without a verdict is none
			if err := open.Validate(doc); err == nil {
				t.Error("a judgement without a verdict fits the schema")
			}
			continue
		}
		if err := open.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := strict.Validate(doc); err != nil {
			t.Errorf("%s has fields that the schema does not know: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compile(t, schema(t, false))
	raw := string(write(t, reports.FormatJSON, specimen.Guilty(t)))
	for _, broken := range []string{
		strings.Replace(raw, `"verdict": "violated"`, `"verdict": "compliant"`, 1),
		strings.Replace(raw, `"format": "unasked-report/1",`, ``, 1),
		strings.Replace(raw, `"ladder": 3`, `"ladder": "L3"`, 1),
	} {
		if broken == raw {
			t.Fatal("nothing was broken")
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(broken))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err == nil {
			t.Error("a broken report fits the schema")
		}
	}
}

func TestJSONHoldsTheJudgement(t *testing.T) {
	a := specimen.Guilty(t)
	var r reports.Report
	if err := json.Unmarshal(write(t, reports.FormatJSON, a), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Judgement.Findings) != len(a.Judgement.Findings) || r.Judgement.Ladder != 3 || r.Audit.Head != a.Evidence.Manifest().Head {
		t.Errorf("the report lost something: %+v", r.Judgement)
	}
	if len(r.Phases) != 5 || r.Phases[2].Requests != 6 || !r.Phases[2].Reached {
		t.Errorf("phases: %+v", r.Phases)
	}
	if len(r.Opaque) != 2 || r.Opaque[0].Host != "pinned.clipshare.example" || r.Opaque[1].Reason != "passed" || r.Opaque[1].SNI != "pinned.clipshare.example" ||
		r.Opaque[1].Server != "203.0.113.9:443" || r.Opaque[1].JA3 == "" || r.Opaque[1].JA4 == "" || r.Opaque[1].Sent != 3_904 {
		t.Errorf("unread connections: %+v", r.Opaque)
	}
	if len(r.Canaries) != 10 || !r.Canaries[0].Planted || r.Canaries[0].Decoy == "" || r.Canaries[9].Planted {
		t.Errorf("canaries: %+v", r.Canaries)
	}
}
