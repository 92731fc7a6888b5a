package matrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/url"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/internal/disguise"
)

// message is what the device sends: a request, or a message of a WebSocket.
type message struct {
	unwrap.Message
	socket bool
}

// place is somewhere in a message where a value may stand.
type place struct {
	name string
	// fits reports whether the data may stand there.
	fits func(data []byte) bool
	// put makes the message around it. The key and the salt stand in it where they are used.
	put func(p disguise.Planted, env *disguise.Env) message
}

// The longest that is put into a URL, a header or a cookie: servers take no more.
const longestField = 4 << 10

func anything([]byte) bool { return true }

func isBinary(data []byte) bool { return !disguise.IsText(data) }

// isField reports whether data may be the value of a header (RFC 9110, section 5.5).
func isField(data []byte) bool {
	return len(data) <= longestField && !bytes.ContainsFunc(data, func(r rune) bool { return r < 0x20 || r > 0x7e }) &&
		len(bytes.TrimSpace(data)) == len(data)
}

// isCookie reports whether data may be the value of a cookie (RFC 6265, section 4.1.1).
func isCookie(data []byte) bool { return isField(data) && !bytes.ContainsAny(data, " \",;\\") }

func isShortText(data []byte) bool { return disguise.IsText(data) && len(data) <= longestField }

var places = []place{
	{"json", disguise.IsText, func(p disguise.Planted, env *disguise.Env) message {
		m := post("application/json", inJSON(p, env))
		return m
	}},
	{"form", disguise.IsText, func(p disguise.Planted, env *disguise.Env) message {
		text := "event=open&v=" + url.QueryEscape(string(p.Data)) + "&n=3"
		if p.Keyed {
			text += "&k=" + string(env.Key) + "&nonce=" + string(env.Salt)
		}
		return post("application/x-www-form-urlencoded", []byte(text))
	}},
	{"url", isShortText, func(p disguise.Planted, env *disguise.Env) message {
		m := keyed(p, env)
		m.URL += "?event=open&v=" + url.QueryEscape(string(p.Data)) + "&n=3"
		return m
	}},
	{"path", func(data []byte) bool {
		return isShortText(data) && string(data) != "." && string(data) != ".."
	}, func(p disguise.Planted, env *disguise.Env) message {
		m := keyed(p, env)
		m.URL += "/devices/" + url.PathEscape(string(p.Data)) + "/events"
		return m
	}},
	{"header", isField, func(p disguise.Planted, env *disguise.Env) message {
		m := keyed(p, env)
		m.Headers = append(m.Headers, flow.Header{Name: "X-Device", Value: string(p.Data)})
		return m
	}},
	{"cookie", isCookie, func(p disguise.Planted, env *disguise.Env) message {
		m := keyed(p, env)
		m.Headers = append(m.Headers, flow.Header{Name: "Cookie", Value: "theme=dark; did=" + string(p.Data) + "; visits=12"})
		return m
	}},
	{"socket", disguise.IsText, func(p disguise.Planted, env *disguise.Env) message {
		return message{Message: unwrap.Message{Body: inJSON(p, env)}, socket: true}
	}},
	{"body", anything, func(p disguise.Planted, env *disguise.Env) message {
		m := keyed(p, env)
		m.Body = p.Data
		kind := "application/octet-stream"
		switch {
		case p.ContentType != "" && env.Rand.IntN(2) == 0: // half of all apps say what they send
			kind = p.ContentType
		case disguise.IsText(p.Data):
			kind = "text/plain"
		}
		m.Headers = append(m.Headers, flow.Header{Name: "Content-Type", Value: kind})
		return m
	}},
	{"multipart", isBinary, func(p disguise.Planted, env *disguise.Env) message {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("seq", "7") // a buffer takes everything
		if p.Keyed {
			_ = w.WriteField("k", string(env.Key))
			_ = w.WriteField("nonce", string(env.Salt))
		}
		file, _ := w.CreateFormFile("data", "events.dat")
		_, _ = file.Write(p.Data)
		_ = w.Close()
		return post(w.FormDataContentType(), b.Bytes())
	}},
	{"protobuf", isBinary, func(p disguise.Planted, env *disguise.Env) message {
		b := protowire.AppendTag(nil, 1, protowire.VarintType)
		b = protowire.AppendVarint(b, 1700000001)
		if p.Keyed {
			b = protowire.AppendTag(b, 5, protowire.BytesType)
			b = protowire.AppendBytes(b, env.Key)
			b = protowire.AppendTag(b, 6, protowire.BytesType)
			b = protowire.AppendBytes(b, env.Salt)
		}
		b = protowire.AppendTag(b, 9, protowire.BytesType)
		return post("application/x-protobuf", protowire.AppendBytes(b, p.Data))
	}},
}

// inJSON is a body with the value as one of its fields.
func inJSON(p disguise.Planted, env *disguise.Env) []byte {
	quoted, err := json.Marshal(string(p.Data))
	if err != nil {
		panic(err) // a string can always be written
	}
	secrets := ""
	if p.Keyed {
		secrets = fmt.Sprintf(`,"k":%q,"nonce":%q`, env.Key, env.Salt)
	}
	return fmt.Appendf(nil, `{"event":"open","at":1700000001,"ctx":{"v":%s,"model":"Pixel 8"}%s}`, quoted, secrets)
}

func post(contentType string, body []byte) message {
	return message{Message: unwrap.Message{
		URL:     "https://api.service.example/v1/events",
		Headers: []flow.Header{{Name: "User-Agent", Value: "okhttp/4.12.0"}, {Name: "Content-Type", Value: contentType}},
		Body:    body,
	}}
}

// keyed is a request without a body, that carries key and salt as headers where they are used.
func keyed(p disguise.Planted, env *disguise.Env) message {
	m := message{Message: unwrap.Message{
		URL:     "https://api.service.example/v1",
		Headers: []flow.Header{{Name: "User-Agent", Value: "okhttp/4.12.0"}},
	}}
	if p.Keyed {
		m.Headers = append(m.Headers, flow.Header{Name: "X-Session", Value: string(env.Key)}, flow.Header{Name: "X-Nonce", Value: string(env.Salt)})
	}
	return m
}
