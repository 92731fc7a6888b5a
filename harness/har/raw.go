package har

import (
	"strconv"

	"github.com/unasked-audit/unasked/harness/flow"
)

// The bounds of one entry, in bytes.
const (
	maxEntry = 256 << 20 // of all that is kept of it
	maxText  = 96 << 20  // of a body's text, base64 or not
	overhead = 64        // that a header, a parameter or a message takes besides its text

	mostScalars = 32 // members of _unasked.opaque
)

// rawEntry is an entry as it stands in the file.
type rawEntry struct {
	started, took     text
	request, response *rawMessage
	server            text
	kind, cached      text // Chrome's _resourceType and _fromCache
	failed            text // _error
	messages          []rawFrame
	unasked           *rawUnasked
}

// text is a scalar, if it was there.
type text struct {
	value string
	ok    bool
}

// rawMessage is a request or a response.
type rawMessage struct {
	method, url, version    text
	status                  text
	headers, cookies, query []flow.Header
	bodySize, headersSize   text
	body                    *rawBody
	failed                  text
}

// rawBody is postData or content.
type rawBody struct {
	mime, encoding, comment text
	size                    text
	text                    []byte // the reader's room: valid until the next entry
	hasText, cut            bool
	params                  []rawParam
	elsewhere               text // Playwright's _file: the body is a file of its own
}

type rawParam struct{ name, value, file, media text }

// rawFrame is one of _webSocketMessages.
type rawFrame struct {
	kind, at, opcode text
	data             []byte
	ok, cut          bool
}

// rawUnasked is what our own writer adds and the reader needs.
type rawUnasked struct {
	flow     text
	isOpaque bool
	opaque   map[string]string // its scalars
	up, down []byte            // base64
}

// scalar reads a short text.
func (r *Reader) scalar(into *text) error {
	var room [256]byte
	value, ok, cut, err := r.lex.scalar(room[:0], min(maxScalar, max(r.left, 0)))
	r.left -= len(value)
	r.cut = r.cut || cut
	into.value, into.ok = string(value), ok
	return err
}

// short reads a short text that may as well be empty.
func (r *Reader) short(into *string) error {
	var t text
	err := r.scalar(&t)
	if t.ok {
		*into = t.value
	}
	return err
}

// long reads a text into room.
func (r *Reader) long(room []byte) (value []byte, ok, cut bool, err error) {
	value, ok, cut, err = r.lex.scalar(room[:0], min(maxText, max(r.left, 0)))
	r.left -= len(value)
	return value, ok, cut, err
}

// members reads an object's scalars into their places and skips the rest.
func (r *Reader) members(into func(name string) *text) error {
	_, err := r.lex.object(func(name []byte) error {
		if t := into(string(name)); t != nil {
			return r.scalar(t)
		}
		return r.lex.skip()
	})
	return err
}

func (r *Reader) entryMember(e *rawEntry, name []byte) error {
	switch string(name) {
	case "startedDateTime":
		return r.scalar(&e.started)
	case "time":
		return r.scalar(&e.took)
	case "request":
		return r.message(&e.request, &r.request)
	case "response":
		return r.message(&e.response, &r.response)
	case "serverIPAddress":
		return r.scalar(&e.server)
	case "_resourceType":
		return r.scalar(&e.kind)
	case "_fromCache":
		return r.scalar(&e.cached)
	case "_error":
		return r.scalar(&e.failed)
	case "_webSocketMessages":
		return r.frames(e)
	case "_unasked":
		return r.unasked(e)
	}
	return r.lex.skip()
}

// message reads a request or a response; room is for its body.
func (r *Reader) message(into **rawMessage, room *[]byte) error {
	m := &rawMessage{}
	ok, err := r.lex.object(func(name []byte) error {
		switch string(name) {
		case "method":
			return r.scalar(&m.method)
		case "url":
			return r.scalar(&m.url)
		case "httpVersion":
			return r.scalar(&m.version)
		case "status":
			return r.scalar(&m.status)
		case "headers":
			return r.pairs(&m.headers)
		case "cookies":
			return r.pairs(&m.cookies)
		case "queryString":
			return r.pairs(&m.query)
		case "bodySize":
			return r.scalar(&m.bodySize)
		case "headersSize":
			return r.scalar(&m.headersSize)
		case "_error":
			return r.scalar(&m.failed)
		case "postData", "content":
			return r.body(&m.body, room)
		}
		return r.lex.skip()
	})
	if ok {
		*into = m
	}
	return err
}

// pairs reads a list of {name, value}; some tools write an object instead, whose
// members are names.
func (r *Reader) pairs(into *[]flow.Header) error {
	b, err := r.lex.next()
	if err != nil {
		return err
	}
	list := (*into)[:0]
	add := func(name, value string) {
		if r.left -= overhead; r.left > 0 {
			list = append(list, flow.Header{Name: name, Value: value})
		}
	}
	if b == '{' {
		_, err = r.lex.object(func(name []byte) error {
			named := string(name)
			return r.values(func(value string) { add(named, value) })
		})
	} else {
		_, err = r.lex.array(func(int) error {
			var name, value text
			err := r.members(func(member string) *text {
				switch member {
				case "name":
					return &name
				case "value":
					return &value
				}
				return nil
			})
			if name.ok || value.ok {
				add(name.value, value.value)
			}
			return err
		})
	}
	*into = list
	return err
}

// values reads a scalar, or a list of them.
func (r *Reader) values(use func(string)) error {
	b, err := r.lex.next()
	if err != nil {
		return err
	}
	one := func() error {
		var t text
		err := r.scalar(&t)
		if t.ok {
			use(t.value)
		}
		return err
	}
	if b == '[' {
		_, err = r.lex.array(func(int) error { return one() })
		return err
	}
	return one()
}

func (r *Reader) body(into **rawBody, room *[]byte) error {
	b := &rawBody{}
	ok, err := r.lex.object(func(name []byte) error {
		switch string(name) {
		case "mimeType":
			return r.scalar(&b.mime)
		case "size":
			return r.scalar(&b.size)
		case "encoding", "_encoding":
			return r.scalar(&b.encoding)
		case "comment":
			return r.scalar(&b.comment)
		case "_file":
			return r.scalar(&b.elsewhere)
		case "text":
			if cap(*room) > maxText/8 {
				*room = nil // one large body is no reason to keep that much
			}
			var err error
			*room, b.hasText, b.cut, err = r.long(*room)
			b.text = *room
			return err
		case "params":
			return r.params(b)
		}
		return r.lex.skip()
	})
	if ok {
		*into = b
	}
	return err
}

func (r *Reader) params(b *rawBody) error {
	b.params = b.params[:0]
	_, err := r.lex.array(func(int) error {
		var p rawParam
		err := r.members(func(name string) *text {
			switch name {
			case "name":
				return &p.name
			case "value":
				return &p.value
			case "fileName":
				return &p.file
			case "contentType":
				return &p.media
			}
			return nil
		})
		if r.left -= overhead; r.left > 0 {
			b.params = append(b.params, p)
		}
		return err
	})
	return err
}

func (r *Reader) frames(e *rawEntry) error {
	e.messages = e.messages[:0]
	_, err := r.lex.array(func(int) error {
		var f rawFrame
		_, err := r.lex.object(func(name []byte) error {
			switch string(name) {
			case "type":
				return r.scalar(&f.kind)
			case "time":
				return r.scalar(&f.at)
			case "opcode":
				return r.scalar(&f.opcode)
			case "data":
				var err error
				f.data, f.ok, f.cut, err = r.long(nil)
				return err
			}
			return r.lex.skip()
		})
		if r.left -= overhead; r.left > 0 {
			e.messages = append(e.messages, f)
		}
		return err
	})
	return err
}

func (r *Reader) unasked(e *rawEntry) error {
	u := &rawUnasked{opaque: map[string]string{}}
	ok, err := r.lex.object(func(name []byte) error {
		switch string(name) {
		case "flow":
			return r.scalar(&u.flow)
		case "opaque":
			var err error
			u.isOpaque, err = r.lex.object(func(name []byte) error {
				var err error
				switch string(name) {
				case "up":
					u.up, _, _, err = r.long(nil)
				case "down":
					u.down, _, _, err = r.long(nil)
				default:
					var t text
					named := string(name)
					if err = r.scalar(&t); t.ok && len(u.opaque) < mostScalars {
						u.opaque[named] = t.value
					}
				}
				return err
			})
			return err
		}
		return r.lex.skip()
	})
	if ok {
		e.unasked = u
	}
	return err
}

// number is the value as a number; ok is false where it is none.
func (t text) number() (n float64, ok bool) {
	if !t.ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(t.value, 64)
	return n, err == nil && n == n && n < 1e15 && n > -1e15
}

// bytes is a size; -1 where the file does not say.
func (t text) bytes() int64 {
	n, ok := t.number()
	if !ok || n < 0 {
		return -1
	}
	return int64(n)
}
