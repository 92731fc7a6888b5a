package knowledge

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func embeddedBase(t *testing.T) *Base {
	t.Helper()
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files are the embedded files, for a test to change.
func files(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(embedded, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(embedded, name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: data}
	}
	return out
}

func TestVersionFollowsEveryFile(t *testing.T) {
	whole := embeddedBase(t).Version()
	if again := embeddedBase(t).Version(); again != whole {
		t.Errorf("the same files gave %s and %s", whole, again)
	}
	for name := range files(t) {
		changed := files(t)
		changed[name] = &fstest.MapFile{Data: append(changed[name].Data, "# a remark\n"...)}
		b, err := Load(changed)
		if err != nil {
			t.Fatal(err)
		}
		if b.Version() == whole {
			t.Errorf("a change of %s is not in the version", name)
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for name, c := range map[string]struct{ file, old, new, want string }{
		"unknown key":        {FileSignatures, "kind: account", "kinds: account", `^signatures\.yaml:\d+:\d+: unknown key "kinds"; did you mean "kind"\?$`},
		"wrong kind":         {FileSignatures, "kind: account", "kind: acount", `signature "firebase-auth-anonymous": kind is "acount"`},
		"bad place":          {FileSignatures, "at: body:returnSecureToken", "at: returnSecureToken", `place "returnSecureToken" must be body:`},
		"no source":          {FileOwners, "company: \"Baidu\"", "company: \"\"", "company and suffixes must be given"},
		"suffix twice":       {FileOwners, "suffixes: [baidu.com]", "suffixes: [bugly.qq.com]", `suffix "bugly.qq.com" stands twice`},
		"confidence":         {FileTraps, "confidence: read", "confidence: sure", `confidence is "sure"`},
		"trap for any host":  {FileTraps, "hosts: [captive.apple.com]", "hosts: []", "or any app could hide behind it"},
		"trap with a star":   {FileTraps, "hosts: [captive.apple.com]", "hosts: [\"captive.*\"]", "must be exact"},
		"pattern":            {FileTraps, "AIza[0-9A-Za-z_-]{35}", "AIza[", "trap google-api-key"},
		"coarse coordinates": {FileDisguises, "location_decimals: 4", "location_decimals: 1", "below 3 a coordinate is a town"},
		"role twice":         {FileWords, "role: stop", "role: record", `role "record" stands twice`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := files(t)
			text := string(changed[c.file].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%s has no %q", c.file, c.old)
			}
			changed[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.new, 1))}
			_, err := Load(changed)
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	missing := maps.Clone(files(t))
	delete(missing, FileOwners)
	if _, err := Load(missing); err == nil || !strings.Contains(err.Error(), FileOwners) {
		t.Errorf("a missing file: %v", err)
	}
}

// Editors check the files against these schemas, so they must say what the loader says.
func TestSchemas(t *testing.T) {
	for name, file := range files(t) {
		path := filepath.Join("schema", strings.TrimSuffix(name, ".yaml")+".schema.json")
		schema, err := jsonschema.NewCompiler().Compile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := yaml.Unmarshal(file.Data, &doc); err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(plain)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if object, ok := value.(map[string]any); ok {
			object["surprise"] = true
			if schema.Validate(object) == nil {
				t.Errorf("%s: the schema takes an unknown key", path)
			}
		}
	}
	if schemas, _ := os.ReadDir("schema"); len(schemas) != len(files(t)) {
		t.Errorf("%d schemas for %d files", len(schemas), len(files(t)))
	}
}

func TestOwners(t *testing.T) {
	b := embeddedBase(t)
	for host, want := range map[string]string{
		"android.bugly.qq.com":                 "Tencent Bugly (Tencent) CN",
		"ULOGS.umeng.com":                      "Umeng (Alibaba) CN",
		"firebaseinstallations.googleapis.com": "Google Firebase (Google) US",
		"www.googleapis.com":                   "Google US",
		"hmma.baidu.com.":                      "Baidu CN",
		"bid.adreach.example":                  "AdReach (calibration app) ",
		"notbaidu.com":                         "",
		"com":                                  "",
		"":                                     "",
	} {
		got := ""
		if o, ok := b.Owners.Of(host); ok {
			got = o.Name() + " " + o.Country
			if strings.HasSuffix(host, ".example") != o.Calibration {
				t.Errorf("%s: calibration is %v", host, o.Calibration)
			}
		}
		if got != want {
			t.Errorf("%s belongs to %q, want %q", host, got, want)
		}
	}
}

func TestTraps(t *testing.T) {
	b := embeddedBase(t)
	for _, v := range []string{
		"12345678", "00000000-0000-0000-0000-000000000000", "9774D56D682E549C", "02:00:00:00:00:00",
		"000000000000000", "0", "Pixel 6", "en_US", "1.2.3", "aaaaaaaaaaaaaaaa", "APA91" + strings.Repeat("b-Q3", 20),
	} {
		if b.Traps.Refuse(v) == "" {
			t.Errorf("%q is taken for a canary", v)
		}
	}
	for _, v := range []string{
		"753b11840c754a7b", "2a590b50-c00c-41c1-807d-71bbc6891404", "copperpelican8775@kitepost.example",
		"+19365550162", "001010648496246", "38.250486,-85.743077", "Erasmus Okonjowell",
	} {
		if why := b.Traps.Refuse(v); why != "" {
			t.Errorf("%q is refused: %s", v, why)
		}
	}
	if _, is := b.Traps.Request("GET", "connectivitycheck.gstatic.com", "/generate_204"); !is {
		t.Error("a captive-portal check is taken for the app's")
	}
	for _, r := range [][3]string{
		{"GET", "collect.adnet.example", "/generate_204"},
		{"GET", "connectivitycheck.adnet.example", "/generate_204"},
		{"POST", "connectivitycheck.gstatic.com", "/generate_204"},
		{"GET", "connectivitycheck.gstatic.com", "/generate_204?id=1"},
		{"GET", "captive.apple.com", "/anything"},
	} {
		if trap, is := b.Traps.Request(r[0], r[1], r[2]); is {
			t.Errorf("%v passes as %s", r, trap.ID)
		}
	}
	if _, is := b.Traps.Request("GET", "api.example.com", "/v1/users"); is {
		t.Error("a request of the app is taken for a captive-portal check")
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		where              Where
		method, host, path string
		want               bool
	}{
		{Where{Hosts: []string{"a.example"}, Paths: []string{"/v1/x"}}, "POST", "a.example", "/v1/x", true},
		{Where{Hosts: []string{"a.example"}, Paths: []string{"/v1/x"}}, "POST", "A.Example", "/v1/x/", true},
		{Where{Hosts: []string{"a.example"}, Paths: []string{"/v1/x"}}, "GET", "a.example", "/v1/x", false},
		{Where{Hosts: []string{"a.example"}, Paths: []string{"/v1/x"}}, "POST", "b.a.example", "/v1/x", false},
		{Where{Hosts: []string{"*.a.example"}, Paths: []string{"/v1/x"}}, "POST", "b.a.example", "/v1/x", true},
		{Where{Hosts: []string{"*.a.example"}, Paths: []string{"/v1/x"}}, "POST", "ba.example", "/v1/x", false},
		{Where{Hosts: []string{"id.*.aws.example"}, Paths: []string{"/"}}, "POST", "id.eu-west-1.aws.example", "/", true},
		{Where{Paths: []string{"**/auth/v1/signup"}}, "POST", "self.example", "/prefix/auth/v1/signup", true},
		{Where{Paths: []string{"**/auth/v1/signup"}}, "POST", "self.example", "/auth/v1/signups", false},
		{Where{Paths: []string{"/v{n}/{app}/activities"}}, "POST", "g.example", "/v17.0/123/activities", true},
		{Where{Paths: []string{"/v{n}/{app}/activities"}}, "POST", "g.example", "/v/123/activities", false},
		{Where{Paths: []string{"/a/**"}}, "POST", "g.example", "/a/b/c", true},
		{Where{Paths: []string{"/a/**"}}, "POST", "g.example", "/b", false},
	} {
		if got := c.where.Matches(c.method, c.host, c.path); got != c.want {
			t.Errorf("%+v fits %s %s%s: %v", c.where, c.method, c.host, c.path, got)
		}
	}
}

func TestNames(t *testing.T) {
	f := embeddedBase(t).Fields
	for _, name := range []string{"user_id", "userId", "UserID", "user-id", "localId"} {
		if !Named(f.Principals, name) {
			t.Errorf("%s names no principal", name)
		}
	}
	for kind, names := range map[string][]string{
		"cookie": {"__cf_bm", "AWSALB", "__cfduid", "csrftoken", "XSRF-TOKEN", "_ga_AB12"},
		"header": {"X-CSRF-Token", "x-request-id", "X-B3-TraceId", "traceparent", "CF-Ray", "ETag"},
		"field":  {"nonce", "request_nonce", "next_cursor", "csrf_token", "bucket", "trace_id", "apiKey"},
	} {
		for _, name := range names {
			if _, never := f.NeverCredential(kind, name); !never {
				t.Errorf("%s %s may be a credential", kind, name)
			}
		}
	}
	for kind, names := range map[string][]string{
		"cookie": {"session", "a_session_console"}, "header": {"Authorization", "x-session-token"}, "field": {"access_token", "user_id", "token"},
	} {
		for _, name := range names {
			if why, never := f.NeverCredential(kind, name); never {
				t.Errorf("%s %s can be no credential: %s", kind, name, why)
			}
		}
	}
}

func TestAnyPath(t *testing.T) {
	for _, path := range []string{"", "/", "/x", "/x/y"} {
		if !matchPath("/**", path) {
			t.Errorf("/** does not match %q", path)
		}
	}
}
