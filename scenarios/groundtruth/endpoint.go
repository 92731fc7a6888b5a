package groundtruth

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// endpoint answers one kind of request. What it returns is written as JSON: nil for
// 204, a fault for an error, text for what is no JSON.
type endpoint func(*call) any

// call is a request with its answer in the making.
type call struct {
	*http.Request
	in  object // the body, where it is JSON or a form
	raw []byte
	out http.Header
	w   http.ResponseWriter // for what is no plain answer
	*Ledger
}

// done is returned by an endpoint that has answered by itself.
type done struct{}

// redirect sends the client elsewhere.
type redirect string

// fault is an answer other than 200.
type fault struct {
	status int
	body   any
}

// text is an answer that is no JSON.
type text struct {
	media, body string
}

func (e endpoint) with(l *Ledger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, out: w.Header(), w: w, Ledger: l}
		status, media, body := http.StatusOK, "application/json; charset=utf-8", []byte(nil)
		if err := c.read(); err != nil {
			status, body = http.StatusBadRequest, encode(object{"error": err.Error()})
		} else {
			switch out := e(c).(type) {
			case nil:
				status = http.StatusNoContent
			case done:
				l.ask(r, http.StatusSwitchingProtocols)
				return
			case redirect:
				status = http.StatusFound
				w.Header().Set("Location", string(out))
			case fault:
				status, body = out.status, encode(out.body)
			case text:
				media, body = out.media, []byte(out.body)
			default:
				body = encode(out)
			}
		}
		l.ask(r, status)
		if len(body) > 0 {
			w.Header().Set("Content-Type", media)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client went away: nobody is left to tell
	})
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // maps of strings and numbers always encode
	return b.Bytes()
}

// read takes the body in: JSON, whatever it is called, or a form.
func (c *call) read() error {
	body := io.Reader(c.Body)
	if c.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(c.Body)
		if err != nil {
			return err
		}
		body = io.LimitReader(z, maxBody)
	}
	var err error
	if c.raw, err = io.ReadAll(body); err != nil {
		return err
	}
	c.in = object{}
	if strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(c.raw))
		if err != nil {
			return err
		}
		for k := range form {
			c.in[k] = form.Get(k)
		}
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(c.raw))
	d.UseNumber()
	if d.Decode(&c.in) != nil {
		c.in = object{} // some bodies are sealed or binary
	}
	return nil
}

// get is the text at a path of names in the body, "" where there is none.
func (c *call) get(names ...string) string { return at(c.in, names...) }

func at(v any, names ...string) string {
	for _, n := range names {
		switch inner := v.(type) {
		case object:
			v = inner[n]
		case []any:
			i, err := strconv.Atoi(n)
			if err != nil || i < 0 || i >= len(inner) {
				return ""
			}
			v = inner[i]
		default:
			return ""
		}
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// bearer is the token of a request.
func (c *call) bearer() string {
	token, _ := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	return token
}

// must answers with 401 where a credential is not one that this service gave out.
func (c *call) must(token string, ok func() any) any {
	if token == "" || !c.knows(token) {
		return fault{http.StatusUnauthorized, object{"error": "unknown credential"}}
	}
	return ok()
}

// grant remembers that a token was given out, and returns it.
func (l *Ledger) grant(token string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions[token] = l.run
	return token
}

func (l *Ledger) knows(token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.sessions[token]
	return ok
}

// number writes digits as a JSON number.
func number(digits string) json.Number { return json.Number(digits) }
