package apk

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"sync"
	"testing"

	invopop "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/unasked-audit/unasked/harness/evidence"
)

var update = flag.Bool("update", false, "write the schema anew")

const schemaFile = "../../docs/inspect.schema.json"

// schemaOf is made from the Go types and their comments.
func schemaOf(t testing.TB, strict bool) []byte {
	t.Helper()
	r := &invopop.Reflector{
		BaseSchemaID: "https://github.com/unasked-audit/unasked/docs", AllowAdditionalProperties: !strict,
		Mapper: func(of reflect.Type) *invopop.Schema {
			if of == reflect.TypeFor[evidence.Digest]() {
				return &invopop.Schema{Type: "string", Pattern: "^[0-9a-f]{64}$", Description: "a SHA-256 in hexadecimal digits"}
			}
			return nil
		},
	}
	if err := r.AddGoComments("github.com/unasked-audit/unasked/harness/apk", ".", invopop.WithFullComment()); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(&Description{})
	s.ID = "https://github.com/unasked-audit/unasked/docs/inspect.schema.json"
	s.Title = "unasked inspect"
	s.Description = "What an app's files say of it, as `unasked inspect --json` prints it. Readers must ignore members that they don't know."
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func TestSchemaIsCurrent(t *testing.T) {
	got := schemaOf(t, false)
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
		t.Errorf("%s is not what the types say: go test ./harness/apk -run TestSchemaIsCurrent -update", schemaFile)
	}
}

var (
	strict       sync.Once
	strictSchema *jsonschema.Schema
)

// fits checks what WriteJSON wrote against the schema in its strict form.
func fits(t *testing.T, raw []byte) {
	t.Helper()
	strict.Do(func() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaOf(t, true)))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("inspect.schema.json", doc); err != nil {
			t.Fatal(err)
		}
		if strictSchema, err = c.Compile("inspect.schema.json"); err != nil {
			t.Fatal(err)
		}
	})
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%.2000s", err, raw)
	}
	if err := strictSchema.Validate(value); err != nil {
		t.Error(err)
	}
	object := value.(map[string]any)
	delete(object, "package")
	if strictSchema.Validate(object) == nil {
		t.Error("the schema takes an app without a package")
	}
}
