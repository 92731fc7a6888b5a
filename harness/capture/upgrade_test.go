//lint:file-ignore SA1019 h2c is the only server that still takes the upgrade, as some in the field do

package capture

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

// An upgrade to HTTP/2 (RFC 7540 section 3.2) passes, and what follows it is read.
func TestAnUpgradeToHTTP2IsRead(t *testing.T) {
	for _, tunnel := range []bool{true, false} {
		t.Run(fmt.Sprint("tunnel=", tunnel), func(t *testing.T) {
			r := newRig(t)
			r.plain("old.example", h2c.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				fmt.Fprintf(w, "%s %s", q.Proto, q.URL.Path)
			}), new(http2.Server)))
			// The handler is told what the request was, which came in HTTP/1.1.
			paths, want := []string{"/one", "/two"}, "HTTP/1.1 /oneHTTP/2.0 /two"
			if !tunnel { // curl writes a second path as if it still spoke to a proxy
				paths, want = paths[:1], "HTTP/1.1 /one"
			}
			args := []string{"-sS", "--http2", "-x", "http://" + r.proxy.Addr()}
			for _, path := range paths {
				args = append(args, "http://old.example"+path)
			}
			if tunnel {
				args = append(args, "-p")
			}
			out, errs, err := program(t, nil, "curl", args...)
			if err != nil || out != want {
				t.Errorf("curl: %q, %v %s", out, err, errs)
			}
			rec := r.sealed()
			if len(rec.flows) != len(paths) {
				t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
			}
			for i, path := range paths {
				f := rec.flows[i]
				if f.Request.URL != "http://old.example"+path || f.Response == nil || !strings.HasSuffix(rec.body(t, f.Response.Body), " "+path) || f.Response.Proto != "HTTP/2.0" {
					t.Errorf("flow %+v, %+v", f.Request, f.Response)
				}
			}
		})
	}
}
