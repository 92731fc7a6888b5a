package groundtruth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

// Phone is what an app sees of the device and the person, and how it talks to the
// world. After the first error its methods do nothing; Err has it.
type Phone struct {
	SSAID, AdvertisingID string
	Config               map[string]string // from the app's own files
	Storage              map[string]string // the app's private files; empty after an installation
	Err                  error

	ctx    context.Context
	client *http.Client
}

// reply is an answer as an app sees it.
type reply struct {
	status int
	header http.Header
	body   any
	text   string
}

// at is the text at a path of names in a JSON answer.
func (r reply) at(names ...string) string { return at(r.body, names...) }

// headers are written as name, value, name, value.
type headers []string

func bearer(token string) headers { return headers{"Authorization", "Bearer " + token} }

func (p *Phone) get(address string, h headers) reply { return p.do("GET", address, nil, h) }

func (p *Phone) post(address string, body any, h headers) reply {
	return p.do("POST", address, body, h)
}

// do sends a request: body is an object as JSON, url.Values as a form, bytes as they are.
func (p *Phone) do(method, address string, body any, h headers) (r reply) {
	if p.Err != nil {
		return r
	}
	var data []byte
	media := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		data, media = []byte(body.Encode()), "application/x-www-form-urlencoded"
	case []byte:
		data, media = body, "application/octet-stream"
	default:
		data, media = encode(body), "application/json"
	}
	q, err := http.NewRequestWithContext(p.ctx, method, address, bytes.NewReader(data))
	if err != nil {
		p.Err = err
		return r
	}
	if media != "" {
		q.Header.Set("Content-Type", media)
	}
	q.Header.Set("User-Agent", "okhttp/4.12.0")
	for i := 0; i+1 < len(h); i += 2 {
		q.Header.Set(h[i], h[i+1])
	}
	answer, err := p.client.Do(q)
	if err != nil {
		p.Err = err
		return r
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		p.Err = err
		return r
	}
	r.status, r.header, r.text = answer.StatusCode, answer.Header, string(got)
	if strings.Contains(answer.Header.Get("Content-Type"), "json") {
		d := json.NewDecoder(bytes.NewReader(got))
		d.UseNumber()
		if err := d.Decode(&r.body); err != nil {
			p.Err = fmt.Errorf("%s %s: the answer is no JSON: %w", method, address, err)
		}
	}
	if r.status >= 400 {
		p.Err = fmt.Errorf("%s %s: %d %s", method, address, r.status, got)
	}
	return r
}

// socket opens a WebSocket, says one thing and returns the answer.
func (p *Phone) socket(address string, say any) (r reply) {
	if p.Err != nil {
		return r
	}
	s, _, err := websocket.Dial(p.ctx, address, &websocket.DialOptions{HTTPClient: p.client})
	if err != nil {
		p.Err = err
		return r
	}
	defer s.CloseNow()
	if p.Err = s.Write(p.ctx, websocket.MessageText, encode(say)); p.Err != nil {
		return r
	}
	_, data, err := s.Read(p.ctx)
	if err != nil {
		p.Err = err
		return r
	}
	p.Err = json.Unmarshal(data, &r.body)
	_, _, _ = s.Read(p.ctx) // the service says goodbye
	return r
}

// keep returns what the app had stored, or stores what make returns.
func (p *Phone) keep(name string, make func() string) string {
	if v, ok := p.Storage[name]; ok {
		return v
	}
	v := make()
	if p.Err == nil {
		p.Storage[name] = v
	}
	return v
}
