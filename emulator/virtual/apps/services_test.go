package apps

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/internet"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// client is a client of an app's services that is no browser.
type client struct {
	t      *testing.T
	http   *http.Client
	ledger *Ledger
}

func serve(t *testing.T, app App) client {
	t.Helper()
	in, err := internet.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	ledger, err := app.Serve(in)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: in.Dial, TLSClientConfig: &tls.Config{RootCAs: in.Roots()}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return client{t, &http.Client{Transport: transport}, ledger}
}

// do sends a request and returns the status and the answer.
func (c client) do(method, url, body string, header ...string) (int, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var out map[string]any
	_ = json.Unmarshal(b, &out) // a picture is no JSON
	return res.StatusCode, out
}

func TestTheTwoDoNotClash(t *testing.T) {
	in, err := internet.New()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, app := range All() {
		if _, err := app.Serve(in); err != nil {
			t.Fatal(err)
		}
		f, err := apkfile.Read(bytes.NewReader(app.APK), int64(len(app.APK)))
		if err != nil {
			t.Fatal(err)
		}
		if m := f.Manifest(); m.Package != app.Package || m.Label != app.Name {
			t.Errorf("%s %s: the APK is %s %s", app.Package, app.Name, m.Package, m.Label)
		}
	}
	if _, err := ClipShare().Serve(in); err == nil {
		t.Error("an app's services were registered twice")
	}
}

// TestServicesRefuse: whatever else runs on the device may talk to them.
func TestServicesRefuse(t *testing.T) {
	guilty, innocent := serve(t, ClipShare()), serve(t, Pantry())
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	z.Close()
	for _, c := range []struct {
		client            client
		method, url, body string
		header            []string
		status            int
	}{
		{guilty, "POST", "https://log.clipshare.example/service/2/device_register/", "{}", nil, 400},
		{guilty, "POST", "https://log.clipshare.example/service/2/device_register/", `{"magic_tag":5,"header":[]}`, nil, 400},
		{guilty, "POST", "https://api.clipshare.example/v1/users/anonymous", "no json", nil, 400},
		{guilty, "GET", "https://api.clipshare.example/v1/feed", "", nil, 401},
		{guilty, "GET", "https://api.clipshare.example/v1/feed", "", []string{"Authorization", "Bearer made-up"}, 401},
		{guilty, "POST", "https://api.clipshare.example/v1/drafts", `{"size":-1}`, nil, 413},
		{guilty, "POST", "https://api.clipshare.example/v1/drafts", `{"size":99999999999}`, nil, 413},
		{guilty, "PUT", "https://upload.clipshare.example/v1/drafts/none/parts/1", "x", []string{"Content-Range", "bytes 0-0/1"}, 409},
		{guilty, "PUT", "https://upload.clipshare.example/v1/drafts/none/parts/1", "x", nil, 400},
		{guilty, "POST", "https://android.bugly.qq.com/rqd/async", "not gzip", []string{"Content-Encoding", "gzip"}, 400},
		{guilty, "POST", "https://android.bugly.qq.com/rqd/async", bomb.String(), []string{"Content-Encoding", "gzip"}, 400},
		{guilty, "POST", "https://ulogs.umeng.com/unify_logs", "content=%%%", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400},
		{guilty, "GET", "https://cdn.clipshare.example/posters/../feed.json", "", nil, 404},
		{guilty, "GET", "https://cdn.clipshare.example/posters/none.svg", "", nil, 404},
		{innocent, "POST", "https://api.pantry.example/v1/accounts", `{"name":"A","email":"a@b.example","password":"long enough"}`, nil, 403},
		{innocent, "POST", "https://api.pantry.example/v1/accounts", `{"name":"","email":"a@b.example","password":"long enough"}`, []string{"X-CSRF-Token", "x"}, 422},
		{innocent, "GET", "https://api.pantry.example/v1/recipes?cursor=made-up", "", nil, 400},
		{innocent, "POST", "https://firebaseinstallations.googleapis.com/v1/projects/p/installations", `{"fid":"short","authVersion":"FIS_v2"}`, nil, 400},
	} {
		if status, out := c.client.do(c.method, c.url, c.body, c.header...); status != c.status {
			t.Errorf("%s %s %.40q: %d %v, want %d", c.method, c.url, c.body, status, out, c.status)
		}
	}
	if n := len(guilty.ledger.Accounts()) + len(guilty.ledger.Uploads()) + len(innocent.ledger.Accounts()); n != 0 {
		t.Errorf("%d accounts and uploads came of refused requests", n)
	}
}

func TestUploadPieces(t *testing.T) {
	c := serve(t, ClipShare())
	_, draft := c.do("POST", "https://api.clipshare.example/v1/drafts", `{"size":10}`)
	url := fmt.Sprintf("%s/parts/", draft["upload_url"])
	put := func(part, span, body string) int {
		status, _ := c.do("PUT", url+part, body, "Content-Range", "bytes "+span)
		return status
	}
	for _, step := range []struct {
		part, span, body string
		status           int
	}{
		{"1", "0-5/10", "abcdef", 200},
		{"1", "0-5/10", "abcdef", 409},  // again
		{"2", "7-9/10", "hij", 409},     // a gap
		{"2", "6-9/10", "hij", 409},     // less than it says
		{"2", "6-11/10", "ghijkl", 409}, // more than was announced
		{"2", "6-9/10", "ghij", 200},
		{"3", "10-10/10", "k", 409},
	} {
		if got := put(step.part, step.span, step.body); got != step.status {
			t.Errorf("%s %q: %d, want %d", step.span, step.body, got, step.status)
		}
	}
	u := c.ledger.Uploads()
	if len(u) != 1 || !u[0].Complete() || u[0].Pieces != 2 || u[0].Received() != 10 {
		t.Errorf("%+v", u)
	}
}

// TestTraps: what looks like an account in Pantry's answers is the same for everyone, or stands for nobody.
func TestTraps(t *testing.T) {
	c := serve(t, Pantry())
	_, one := c.do("GET", "https://api.pantry.example/v1/config", "")
	_, two := c.do("GET", "https://api.pantry.example/v1/config", "")
	if one["config_id"] != two["config_id"] || one["config_id"] == nil {
		t.Errorf("configuration ids: %v and %v", one["config_id"], two["config_id"])
	}
	_, one = c.do("GET", "https://api.pantry.example/v1/recipes", "")
	_, two = c.do("GET", "https://api.pantry.example/v1/recipes", "")
	if one["next_cursor"] != two["next_cursor"] || one["next_cursor"] == nil {
		t.Errorf("cursors: %v and %v", one["next_cursor"], two["next_cursor"])
	}
	_, echo := c.do("POST", "https://api.pantry.example/v1/ping", `{"nonce":"mine"}`)
	if echo["nonce"] != "mine" {
		t.Errorf("the echo says %v", echo["nonce"])
	}
}

// TestTheServiceRemembers: what makes an account recoverable is the SSAID alone.
func TestTheServiceRemembers(t *testing.T) {
	c := serve(t, ClipShare())
	ask := func(ssaid string) (user map[string]any, token any) {
		_, out := c.do("POST", "https://api.clipshare.example/v1/users/anonymous", `{"device_uid":"`+ssaid+`"}`)
		user, _ = out["user"].(map[string]any)
		return user, out["access_token"]
	}
	first, token := ask("8c1f0d3ab27e5946")
	again, other := ask("8c1f0d3ab27e5946")
	stranger, _ := ask("00ff17a2c4b3d9e8")
	if first["id"] != again["id"] || first["created_at"] != again["created_at"] || first["is_new"] != true || again["is_new"] != false {
		t.Errorf("first %v, again %v", first, again)
	}
	if stranger["id"] == first["id"] || stranger["is_new"] != true {
		t.Errorf("somebody else: %v", stranger)
	}
	if token == other || token == nil {
		t.Errorf("tokens %v and %v", token, other)
	}
	for range 2 * maxTokens {
		ask("8c1f0d3ab27e5946")
	}
	if n := len(c.ledger.Accounts()[0].Tokens); n != maxTokens {
		t.Errorf("%d tokens are kept", n)
	}
}
