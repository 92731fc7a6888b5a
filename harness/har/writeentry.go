package har

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/har"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// Unasked is what an audit knows of a flow and HAR has no place for: the member
// _unasked of an entry.
type Unasked struct {
	Flow     flow.ID          `json:"flow"`
	Event    uint64           `json:"event"`              // of the request or the connection, in the log
	Response uint64           `json:"response,omitempty"` // the event of the response; 0 for none
	Phase    string           `json:"phase"`
	Arm      string           `json:"arm,omitempty"`
	Consent  evidence.Consent `json:"consent"`        // empty where the evidence does not say
	UID      any              `json:"uid"`            // of the app: a number, or "unknown"
	Wire     string           `json:"wire,omitempty"` // the connection that it came on
	Target   string           `json:"target,omitempty"`

	Chain  []evidence.Digest `json:"chain,omitempty"`  // SHA-256 of the origin's certificates, leaf first
	Device *flow.TLS         `json:"device,omitempty"` // TLS on the device's side
	Origin *flow.TLS         `json:"origin,omitempty"` // and on the origin's; its chain is in Chain
	Sizes  *Sizes            `json:"sizes,omitempty"`
	Cut    *Cuts             `json:"cut,omitempty"`
	Became *Became           `json:"became,omitempty"`
	Opaque *Opaque           `json:"opaque,omitempty"`
}

// Sizes are bytes: on the wire with the head and all framing, but without TLS (0 where it
// is not known), and of the content with its coding taken off.
type Sizes struct {
	RequestWire     int64 `json:"request_wire"`
	RequestContent  int64 `json:"request_content"`
	ResponseWire    int64 `json:"response_wire"`
	ResponseContent int64 `json:"response_content"`
}

// Cuts say why a body is not whole, or is written with its coding on.
type Cuts struct {
	Request  string `json:"request,omitempty"`
	Response string `json:"response,omitempty"`
}

// Became says what became of a flow that did not end as a response.
type Became struct {
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Opaque says what is known of a connection without readable HTTP. In the file, the
// bytes that passed follow as up and down, in base64, where there are some.
type Opaque struct {
	Reason      string `json:"reason"` // one of the reasons of package flow
	Detail      string `json:"detail,omitempty"`
	Host        string `json:"host"`
	Port        int    `json:"port"`
	SNI         string `json:"sni,omitempty"`
	Server      string `json:"server,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	JA3         string `json:"ja3,omitempty"`
	JA4         string `json:"ja4,omitempty"`
	Sent        int64  `json:"sent"` // bytes from the device
	Received    int64  `json:"received"`
	UpCut       string `json:"upCut,omitempty"` // why up is not whole
	DownCut     string `json:"downCut,omitempty"`
}

// head are the members of an entry before its request.
type head struct {
	Pageref         string  `json:"pageref,omitempty"`
	StartedDateTime string  `json:"startedDateTime"`
	Time            float64 `json:"time"`
}

// tail are those after its response.
type tail struct {
	Cache           struct{}     `json:"cache"`
	Timings         *har.Timings `json:"timings"`
	ServerIPAddress string       `json:"serverIPAddress,omitempty"`
	Connection      string       `json:"connection,omitempty"`
}

// failing is a response with Chromium's member for why there is none.
type failing struct {
	*har.Response
	Content *har.Content `json:"content,omitempty"` // is written after it
	Error   string       `json:"_error,omitempty"`
}

// begin opens an entry.
func (w *writer) begin(h head) error {
	if w.entries > 0 {
		w.WriteByte(',')
	}
	w.entries++
	w.WriteByte('\n')
	return w.open(h)
}

// flow writes an entry.
func (w *writer) flow(f *flow.Flow) error {
	q, p := &f.Request, f.Response
	if p == nil {
		p = &flow.Response{Started: q.Started, Ended: q.Started, Error: "no response was recorded"}
	}
	if o := w.outcomes[q.Flow]; o != nil {
		o.request = true
	}
	sent, err := w.body(q.Body, q.Headers)
	if err != nil {
		return err
	}
	received, err := w.body(p.Body, p.Headers)
	if err != nil {
		return err
	}
	timings, total := w.timings(q, p)
	var pageref string
	if f.Phase != "" && len(w.pages) > 0 {
		pageref = page(f.Arm, f.Phase)
	}
	if err := w.begin(head{pageref, stamp(q.Started), total}); err != nil {
		return err
	}
	w.WriteString(`,"request":`)
	if err := w.request(q, sent); err != nil {
		return err
	}
	w.WriteString(`,"response":`)
	if err := w.response(p, received); err != nil {
		return err
	}
	end, err := encode(tail{Timings: timings, ServerIPAddress: address(p.Server), Connection: q.Wire})
	if err != nil {
		return err
	}
	w.WriteByte(',')
	w.Write(end[1 : len(end)-1])
	if err := w.messages(q.Flow); err != nil {
		return err
	}
	u := Unasked{
		Flow: q.Flow, Event: f.RequestEvent, Response: f.ResponseEvent, Phase: f.Phase, Arm: f.Arm, Consent: f.Consent, UID: uid(q.UID),
		Wire: q.Wire, Target: q.Target, Device: q.TLS,
		Sizes: &Sizes{RequestWire: q.Size, RequestContent: sent.size, ResponseWire: p.Size, ResponseContent: received.size},
	}
	if p.TLS != nil {
		origin := *p.TLS
		u.Chain, origin.Chain = origin.Chain, nil
		u.Origin = &origin
	}
	if sent.cut != "" || received.cut != "" {
		u.Cut = &Cuts{Request: sent.cut, Response: received.cut}
	}
	if o := w.outcomes[q.Flow]; o != nil {
		u.Became = &Became{Reason: o.reason, Detail: o.detail}
	}
	w.WriteString(`,"_unasked":`)
	if err := w.value(u); err != nil {
		return err
	}
	return w.WriteByte('}')
}

// connection writes an entry for a connection without readable HTTP, unless all that
// there is to say stands with its request.
func (w *writer) connection(o *opened) error {
	c := &o.data
	if known := w.outcomes[c.Flow]; known != nil && known.request && !known.bytes {
		return nil
	}
	var pageref string
	if o.Phase != "" && len(w.pages) > 0 {
		pageref = page(o.Arm, o.Phase)
	}
	took := max(ms(c.Ended.Sub(c.Started)), 0)
	if err := w.begin(head{pageref, stamp(c.Started), took}); err != nil {
		return err
	}
	place := net.JoinHostPort(cmp.Or(c.SNI, c.Host), strconv.Itoa(c.Port))
	none := &har.Response{Cookies: []*har.Cookie{}, Headers: []*har.NameValuePair{}, HeadersSize: -1, BodySize: -1}
	w.WriteString(`,"request":`)
	err := w.value(har.Request{
		Method: http.MethodConnect, URL: "https://" + place + "/", HTTPVersion: "unknown", Cookies: []*har.Cookie{},
		Headers: []*har.NameValuePair{}, QueryString: []*har.NameValuePair{}, HeadersSize: -1, BodySize: -1,
		Comment: "The connection carried no HTTP that could be read: " + c.Reason,
	})
	if err != nil {
		return err
	}
	w.WriteString(`,"response":`)
	if err := w.open(failing{Response: none, Error: cmp.Or(c.Detail, c.Reason)}); err != nil {
		return err
	}
	w.WriteString(`,"content":{"size":0,"mimeType":"x-unknown"}}`)
	end, err := encode(tail{Timings: &har.Timings{Receive: took}, ServerIPAddress: address(c.Server), Connection: c.Wire})
	if err != nil {
		return err
	}
	w.WriteByte(',')
	w.Write(end[1 : len(end)-1])
	w.WriteString(`,"_unasked":`)
	err = w.open(Unasked{Flow: c.Flow, Event: o.Seq, Phase: o.Phase, Arm: o.Arm, Consent: o.Consent, UID: uid(c.UID), Wire: c.Wire})
	if err != nil {
		return err
	}
	w.WriteString(`,"opaque":`)
	err = w.open(Opaque{
		Reason: c.Reason, Detail: c.Detail, Host: c.Host, Port: c.Port, SNI: c.SNI, Server: c.Server, Fingerprint: c.Fingerprint,
		JA3: c.JA3, JA4: c.JA4, Sent: c.Sent, Received: c.Received, UpCut: c.Up.Cut, DownCut: c.Down.Cut,
	})
	if err != nil {
		return err
	}
	for _, side := range []struct {
		name string
		flow.Body
	}{{"up", c.Up}, {"down", c.Down}} {
		if side.Size == 0 {
			continue
		}
		w.WriteString(`,"` + side.name + `":`)
		if err := w.base64(func() (io.ReadCloser, error) { return side.Open(w.ev) }); err != nil {
			return err
		}
	}
	_, err = w.WriteString("}}}")
	return err
}

func (w *writer) request(q *flow.Request, b *bodyText) error {
	err := w.open(har.Request{
		Method: q.Method, URL: q.URL, HTTPVersion: cmp.Or(q.Proto, "unknown"), Cookies: sentCookies(q.Headers),
		Headers: pairs(q.Headers, q.Trailers), QueryString: query(q.URL), HeadersSize: -1, BodySize: q.Body.Size,
	})
	if err != nil {
		return err
	}
	if q.Body.Size > 0 {
		media := flow.HTTPHeader(q.Headers).Get("Content-Type")
		w.WriteString(`,"postData":{"mimeType":`)
		if err := w.value(media); err != nil {
			return err
		}
		w.WriteString(`,"params":[],"text":`)
		if err := w.text(b); err != nil {
			return err
		}
		if !b.plain {
			w.WriteString(`,"_encoding":"base64"`)
		}
		w.WriteByte('}')
	}
	return w.WriteByte('}')
}

func (w *writer) response(p *flow.Response, b *bodyText) error {
	header := flow.HTTPHeader(p.Headers)
	err := w.open(failing{Error: p.Error, Response: &har.Response{
		Status: int64(p.Status), StatusText: http.StatusText(p.Status), HTTPVersion: cmp.Or(p.Proto, "unknown"), Cookies: setCookies(p.Headers),
		Headers: pairs(p.Headers, p.Trailers), RedirectURL: header.Get("Location"), HeadersSize: -1, BodySize: p.Body.Size,
	}})
	if err != nil {
		return err
	}
	content := har.Content{Size: b.size, MimeType: cmp.Or(header.Get("Content-Type"), "x-unknown")}
	if b.decoded {
		saved := b.size - p.Body.Size
		content.Compression = &saved
	}
	w.WriteString(`,"content":`)
	if err := w.open(content); err != nil {
		return err
	}
	if p.Body.Size > 0 {
		w.WriteString(`,"text":`)
		if err := w.text(b); err != nil {
			return err
		}
		if !b.plain {
			w.WriteString(`,"encoding":"base64"`)
		}
	}
	_, err = w.WriteString("}}")
	return err
}

// timings are in milliseconds; what is not known is -1. Making the connection counts
// for the first flow on it.
func (w *writer) timings(q *flow.Request, p *flow.Response) (t *har.Timings, total float64) {
	unknown := -1.0
	t = &har.Timings{Blocked: &unknown, DNS: &unknown, Connect: &unknown, Ssl: &unknown}
	if x := w.wires[q.Wire]; x != nil && !x.told && x.connect+x.tls > 0 {
		x.told = true
		connect, tls := ms(x.connect+x.tls), ms(x.tls)
		t.Connect, total = &connect, connect
		if x.tls > 0 {
			t.Ssl = &tls
		}
	}
	first := p.Started
	if first.Before(q.Started) {
		first = q.Started
	}
	t.Wait = ms(max(first.Sub(q.Started)-time.Duration(total*1e6), 0))
	t.Receive = max(ms(p.Ended.Sub(first)), 0)
	return t, total + t.Wait + t.Receive
}

// uid is an app's uid, or that it is not known.
func uid(n int) any {
	if n == 0 {
		return "unknown"
	}
	return n
}

// address is an address without its port.
func address(server string) string {
	if host, _, err := net.SplitHostPort(server); err == nil {
		return host
	}
	return server
}

// version is that of a tool, "unasked 0.1.0".
func version(tool string) string {
	_, v, _ := strings.Cut(tool, " ")
	return cmp.Or(v, "unknown")
}

func pairs(lists ...[]flow.Header) []*har.NameValuePair {
	out := []*har.NameValuePair{}
	for _, list := range lists {
		for _, h := range list {
			out = append(out, &har.NameValuePair{Name: h.Name, Value: h.Value})
		}
	}
	return out
}

func query(address string) []*har.NameValuePair {
	out := []*har.NameValuePair{}
	_, raw, ok := strings.Cut(address, "?")
	raw, _, _ = strings.Cut(raw, "#")
	if !ok || raw == "" {
		return out
	}
	plain := func(s string) string {
		if p, err := url.QueryUnescape(s); err == nil {
			return p
		}
		return s
	}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		out = append(out, &har.NameValuePair{Name: plain(name), Value: plain(value)})
	}
	return out
}

func sentCookies(headers []flow.Header) []*har.Cookie {
	out := []*har.Cookie{}
	for _, line := range flow.HTTPHeader(headers).Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
				out = append(out, &har.Cookie{Name: name, Value: value})
			}
		}
	}
	return out
}

func setCookies(headers []flow.Header) []*har.Cookie {
	out := []*har.Cookie{}
	for _, line := range flow.HTTPHeader(headers).Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		cookie := &har.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, HTTPOnly: c.HttpOnly, Secure: c.Secure}
		if !c.Expires.IsZero() {
			cookie.Expires = stamp(c.Expires)
		}
		out = append(out, cookie)
	}
	return out
}

// encode is JSON, with characters as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
