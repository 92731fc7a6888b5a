package account

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// socketRoot begins the roots of what stands in messages of a WebSocket.
const socketRoot = "ws:"

// inBody reports whether a value stands in a body, or in a message of a WebSocket.
func inBody(v *Value) bool {
	return v.Root == flow.SurfaceBody || strings.HasPrefix(v.Root, socketRoot)
}

// redirected reports whether a value is a field of the address that a response leads to.
func redirected(v *Value) bool {
	return v.Key != "" && v.Path != "" && strings.EqualFold(v.Root, "header:location")
}

// fielded reports whether a value has a name that somebody gave a field: in a body, in
// the address of a redirect, in a token.
func fielded(v *Value) bool { return v.JWT || inBody(v) || redirected(v) }

// handsOver reports whether a response leads to another site with ids and no credential:
// companies tell each other so how they call the same browser, and nobody is a user there.
func (t *Tracker) handsOver(m *Message) bool {
	elsewhere := false
	for i := range m.Values {
		v := &m.Values[i]
		if redirected(v) && t.token(v) {
			return false
		}
		if !redirected(v) && strings.EqualFold(v.Root, "header:location") {
			if scheme, rest, ok := strings.Cut(v.Text, "://"); ok && strings.HasPrefix(scheme, "http") {
				host, _, _ := strings.Cut(rest, "/")
				host, _, _ = strings.Cut(host, ":")
				elsewhere = elsewhere || Site(strings.ToLower(host)) != Site(m.Host)
			}
		}
	}
	return elsewhere
}

// field is the name of a value's field: of user[email] it is email.
func (v *Value) field() string {
	name := v.Key
	if kind, rest, _ := strings.Cut(v.Root, ":"); name == "" && (kind == "header" || kind == "cookie") {
		name = rest
	}
	if strings.HasSuffix(name, "]") {
		if i := strings.LastIndexByte(name, '['); i >= 0 && i+2 < len(name) {
			name = name[i+1 : len(name)-1]
		}
	}
	return name
}

// object is the path of the object that a value is a member of.
func (v *Value) object() string {
	if i := strings.LastIndexAny(v.Path, ".["); i > 0 {
		return v.Path[:i]
	}
	return v.Path
}

// parents are the names around a value's own, without what answers are wrapped in.
func (t *Tracker) parents(v *Value) []string {
	keys := v.Keys
	if n := len(keys); n > 0 && !v.JWT {
		keys = keys[:n-1]
	}
	for len(keys) > 0 && knowledge.Named(t.kb.Fields.Wrappers, keys[0]) {
		keys = keys[1:]
	}
	return keys
}

// others reports whether a value stands in something that is about somebody else, or
// about a thing.
func (t *Tracker) others(v *Value) bool {
	return slices.ContainsFunc(t.parents(v), func(key string) bool { return knowledge.Named(t.kb.Fields.Others, key) })
}

// subject reports whether a value is the subject of a token (RFC 7519, section 4.1.2).
func (v *Value) subject() bool { return v.JWT && v.Key == "sub" }

// principal reports whether a value names a user by where it stands: in a field of that
// name, as the id of such an object, as the subject of a token, as the id of what a
// request for a user is answered with.
func (t *Tracker) principal(v *Value, r *reply) bool {
	f := &t.kb.Fields
	kind, name, _ := strings.Cut(v.Root, ":")
	switch {
	case v.subject():
		return r == nil || r.anonymous || !t.hinted(r, f.SessionHints)
	case kind == "header" && !v.JWT && !redirected(v):
		return t.principalHeader(name)
	case !fielded(v) || t.others(v):
		return false
	case knowledge.Named(f.Principals, v.field()):
		return true
	}
	switch knowledge.FoldName(v.field()) {
	case "id", "uuid", "guid", "idstr", "objectid", "pk", "key":
	default:
		return false
	}
	parents := t.parents(v)
	if len(parents) > 0 {
		return knowledge.Named(f.PrincipalParents, parents[len(parents)-1])
	}
	if r == nil || v.JWT {
		return false
	}
	hints := f.PrincipalHints
	if r.message.Method == "GET" { // whoever reads users reads those of others, too
		hints = f.SelfHints
	}
	return knowledge.Named(hints, lastWord(r.message.Path))
}

// principalHeader reports whether a header names a user: X-User-Id.
func (t *Tracker) principalHeader(name string) bool {
	folded := knowledge.FoldName(name)
	return knowledge.Named(t.kb.Fields.Principals, strings.TrimPrefix(folded, "x"))
}

// installation reports whether a value names an installation or a device.
func (t *Tracker) installation(v *Value) bool {
	return !v.Listed && fielded(v) && knowledge.Named(t.kb.Fields.Installations, v.field())
}

// token reports whether a response gave a value a name that credentials have.
func (t *Tracker) token(v *Value) bool {
	kind, name, _ := strings.Cut(v.Root, ":")
	switch {
	case v.Hidden:
		return false
	case fielded(v):
		return knowledge.Named(t.kb.Fields.CredentialFields, v.field())
	case kind == "cookie":
		return knowledge.Named(t.kb.Fields.SessionCookies, name)
	case kind == "header":
		return knowledge.Named(t.kb.Fields.CredentialHeaders, name)
	}
	return false
}

// lastWord is the last word of a path that is no number of a version: users in
// /v1/users/, signUp in /v1/accounts:signUp.
func lastWord(path string) string {
	words := pathWords(path)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// pathWords takes a path apart.
func pathWords(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' || c == '.' || c == ':' })
}

// hinted reports whether a word of the path tells what a request is about.
func (t *Tracker) hinted(r *reply, words []string) bool {
	return slices.ContainsFunc(pathWords(r.message.Path), func(word string) bool { return knowledge.Named(words, word) })
}

// placeholder reports whether an id stands for nobody.
func placeholder(id string) bool {
	switch strings.ToLower(id) {
	case "null", "none", "nil", "undefined", "guest", "anonymous", "anon", "unknown", "true", "false", "user", "me", "self", "default":
		return true
	}
	return strings.Trim(id, "0-") == ""
}

// short reports whether a value that anybody could have guessed may be an id all the
// same: the number of a user, who is told from others by what was issued with it.
func short(id string) bool {
	if len(id) > 64 || placeholder(id) || strings.ContainsAny(id, " \t\r\n<>{}/") {
		return false
	}
	if allDigits(id) {
		return !clock(id)
	}
	return strings.ContainsAny(id, "0123456789")
}
