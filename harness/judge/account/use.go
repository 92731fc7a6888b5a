package account

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// As what a value is sent. The name of a field, header, cookie or parameter follows.
const (
	asBearer    = "bearer"
	asBasic     = "basic"
	asHeader    = "header"
	asCookie    = "cookie"
	asPath      = "path"
	asParameter = "parameter"
	asBody      = "body"
	asSubject   = "jwt subject"
	asClaim     = "jwt claim"
	asMessage   = "websocket message"
)

// How many uses of one value are remembered: in all, and of those that are alike.
const (
	mostUses      = 32
	mostAlikeUses = 12
)

// mostDigests is how many digests of minted values are looked for.
const mostDigests = 60_000

// sending is one way of sending a value.
type sending struct {
	as         string
	credential bool // as credentials are sent
	never      bool // as something is sent that is no credential, however random
	names      bool // as what names a user is sent
}

// uses notes where a request carries what was minted before.
func (t *Tracker) uses(m *Message, p *pending) {
	scheme := ""
	for i := range m.Values {
		v := &m.Values[i]
		if len(v.Chain) == 0 && !v.JWT && strings.EqualFold(v.Root, "header:authorization") {
			if word, _, ok := strings.Cut(strings.TrimSpace(v.Text), " "); ok {
				scheme = strings.ToLower(word)
			}
		}
		tokens(v.Text, func(token string) {
			if minted, ok := t.byValue[token]; ok {
				t.used(m, v, i, scheme, minted, "", p)
			} else if name, minted := t.digested(token); minted != nil {
				t.used(m, v, i, scheme, minted, name, p)
			}
		})
		if len(v.Text) <= longestShort {
			if minted, ok := t.small[strings.TrimSpace(v.Text)]; ok {
				t.used(m, v, i, scheme, minted, "", p)
			}
		}
	}
}

// used notes one use. A value that could be guessed is only seen where a user is named.
func (t *Tracker) used(m *Message, v *Value, i int, scheme string, minted *Minted, digest string, p *pending) {
	if minted.gone() {
		return
	}
	u := t.use(m, v, i, scheme)
	if minted.short && !u.names {
		return
	}
	if m.Installation != minted.installation {
		minted.kept = m.Installation
	}
	// What was given out as a credential is one under any name that says nothing else.
	if kind, _, _ := strings.Cut(u.as, " "); !u.credential && !u.never && slices.Contains([]string{asCookie, asHeader, asParameter, asBody}, kind) && u.as != kind {
		u.credential = t.token(&minted.value)
	}
	minted.Credential = minted.Credential || u.credential
	minted.Named = minted.Named || u.names
	if u.credential && len(p.carried) < mostCarried && !slices.Contains(p.carried, minted.root()) {
		p.carried = append(p.carried, minted.root())
	}
	alike := 0
	for _, known := range minted.Uses {
		if known.Event == m.Event && known.As == u.as {
			return
		}
		if known.As == u.as && known.Arm == m.Arm && known.Phase == m.Phase {
			alike++
		}
	}
	if len(minted.Uses) >= mostUses || alike >= mostAlikeUses {
		return
	}
	place := m.place(v, u.as)
	if digest != "" {
		place.Chain = append(slices.Clone(place.Chain), digest)
	}
	minted.Uses = append(minted.Uses, place)
}

// isJWT reports whether a text looks like a JSON Web Token (RFC 7519).
func isJWT(text string) bool { return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 }

// use says as what a value is sent.
func (t *Tracker) use(m *Message, v *Value, i int, scheme string) sending {
	kind, name, _ := strings.Cut(v.Root, ":")
	f := &t.kb.Fields
	if v.JWT {
		names := v.subject() || knowledge.Named(f.Principals, v.field())
		if names {
			return sending{as: asSubject, credential: true, names: true}
		}
		return sending{as: asClaim}
	}
	switch kind {
	case "cookie":
		// What a cookie is for only its name tells, or what is in it: advertising has them, too.
		_, never := f.NeverCredential("cookie", name)
		return sending{as: asCookie + " " + name, credential: !never && (knowledge.Named(f.SessionCookies, name) || isJWT(v.Text)), never: never}
	case "header":
		if strings.EqualFold(name, "Authorization") {
			switch scheme {
			case "bearer":
				return sending{as: asBearer, credential: true}
			case "basic":
				return sending{as: asBasic, credential: true, names: true}
			}
			return sending{as: asHeader + " " + name, credential: true}
		}
		_, never := f.NeverCredential("header", name)
		names := t.principalHeader(name) || knowledge.Named(f.Principals, v.field())
		return sending{as: asHeader + " " + name, credential: !never && knowledge.Named(f.CredentialHeaders, name), never: never, names: names}
	case flow.SurfaceHost:
		return sending{as: "host"}
	case flow.SurfaceURL:
		if v.Key == "" {
			before := i > 0 && m.Values[i-1].Root == v.Root && m.Values[i-1].Path == v.Path && knowledge.Named(f.PrincipalHints, m.Values[i-1].Text)
			return sending{as: asPath, names: before}
		}
		return t.field(asParameter, v)
	case flow.SurfaceBody:
		return t.field(asBody, v)
	case "ws":
		return t.field(asMessage, v)
	}
	return sending{as: kind}
}

// field is the use in a field of a body, a message or a query.
func (t *Tracker) field(as string, v *Value) sending {
	if v.Key == "" {
		return sending{as: as}
	}
	f, name := &t.kb.Fields, v.field()
	_, never := f.NeverCredential("field", name)
	names := knowledge.Named(f.Principals, name)
	if n := len(v.Keys); n > 1 && strings.EqualFold(name, "id") {
		names = names || knowledge.Named(f.PrincipalParents, v.Keys[n-2])
	}
	return sending{as: as + " " + v.Key, credential: !never && knowledge.Named(f.CredentialFields, name), never: never, names: names}
}

// digests are the hashes of a value by their hexadecimal digits.
func (t *Tracker) digests(minted *Minted) {
	if len(t.byDigest) >= mostDigests {
		return
	}
	text := []byte(minted.Value)
	a, b, c := md5.Sum(text), sha1.Sum(text), sha256.Sum256(text)
	for name, sum := range map[string][]byte{"md5": a[:], "sha1": b[:], "sha256": c[:]} {
		t.byDigest[hex.EncodeToString(sum)] = digestOf{minted, name}
	}
}

// digestOf is a minted value and how it was hashed.
type digestOf struct {
	minted *Minted
	name   string
}

// digested is the minted value that a text is the digest of.
func (t *Tracker) digested(text string) (name string, minted *Minted) {
	if n := len(text); n != 32 && n != 40 && n != 64 || len(t.byDigest) == 0 || !isHex(text) {
		return "", nil
	}
	d := t.byDigest[strings.ToLower(text)]
	return d.name, d.minted
}
