package capture

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

func header(h []flow.Header, name string) string {
	return flow.HTTPHeader(h).Get(name)
}

func TestARequestAndItsResponseAreRecorded(t *testing.T) {
	for _, test := range []struct {
		name, proto string
		h2          bool
	}{{"HTTP/1.1", "HTTP/1.1", false}, {"HTTP/2", "HTTP/2.0", true}} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				body, _ := io.ReadAll(q.Body)
				if q.Proto != test.proto || q.URL.RawQuery != "a=1;b=%zz&c" || q.Header.Get("X-Forwarded-For") != "1.2.3.4" || q.Header.Get("User-Agent") != "app/1" {
					t.Errorf("the origin saw %s %s %v", q.Proto, q.RequestURI, q.Header)
				}
				if q.URL.EscapedPath() != "/v1/a%2Fb" {
					t.Errorf("the origin saw the path %q", q.URL.EscapedPath())
				}
				w.Header().Set("X-Answer", "yes")
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write(append([]byte("got "), body...))
			}))
			q, err := http.NewRequest("POST", "https://api.example/v1/a%2Fb?a=1;b=%zz&c", strings.NewReader("id=42"))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("User-Agent", "app/1")
			q.Header.Set("X-Forwarded-For", "1.2.3.4")
			q.Header.Add("Cookie", "a=b")
			resp, err := r.client(test.h2).Do(q)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || string(text) != "got id=42" || resp.StatusCode != 201 || resp.Proto != test.proto {
				t.Errorf("the client got %s %d %q, %v", resp.Proto, resp.StatusCode, text, err)
			}
			_ = resp.Body.Close()
			f, rec := r.one()
			if f.Request.URL != "https://api.example/v1/a%2Fb?a=1;b=%zz&c" || f.Request.Method != "POST" || f.Request.Proto != test.proto {
				t.Errorf("request %+v", f.Request)
			}
			if f.Phase != "untouched" || f.Arm != "a" || f.Consent != evidence.Untouched {
				t.Errorf("flow is in %q, %q, %q", f.Arm, f.Phase, f.Consent)
			}
			if header(f.Request.Headers, "Cookie") != "a=b" || f.Request.Body.Cut != "" || rec.body(t, f.Request.Body) != "id=42" {
				t.Errorf("request %+v", f.Request)
			}
			if f.Request.TLS == nil || f.Request.TLS.SNI != "api.example" || f.Request.Target != "" {
				t.Errorf("request's TLS %+v, target %q", f.Request.TLS, f.Request.Target)
			}
			if f.Response == nil || f.Response.Status != 201 || header(f.Response.Headers, "X-Answer") != "yes" || rec.body(t, f.Response.Body) != "got id=42" || f.Response.Body.Cut != "" {
				t.Errorf("response %+v", f.Response)
			}
			if f.Response.TLS == nil || len(f.Response.TLS.Chain) != 2 || f.Response.TLS.Version != "TLS 1.3" {
				t.Errorf("response's TLS %+v", f.Response.TLS)
			}
			if f.RequestEvent == 0 || f.ResponseEvent <= f.RequestEvent || len(rec.connections) != 0 {
				t.Errorf("events %d, %d; connections %+v", f.RequestEvent, f.ResponseEvent, rec.connections)
			}
		})
	}
}

// What counts is what the person had said when a request began.
func TestAFlowBelongsToThePhaseInWhichItBegan(t *testing.T) {
	r := newRig(t)
	there, answer := make(chan struct{}), make(chan struct{})
	r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		close(there)
		<-answer
		_, _ = io.Copy(w, q.Body)
	}))
	body, pen := io.Pipe()
	done := make(chan error)
	go func() {
		resp, err := r.client(true).Post("https://api.example/", "text/plain", body)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		done <- err
	}()
	<-there
	r.log.Position("a", "rejected", evidence.Rejected)
	_, _ = io.WriteString(pen, "sent after the person rejected, in a request from before")
	_ = pen.Close()
	close(answer)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if f, _ := r.one(); f.Phase != "untouched" || f.Consent != evidence.Untouched {
		t.Errorf("the flow is in %q, %q", f.Phase, f.Consent)
	}
}
