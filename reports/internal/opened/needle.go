package opened

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // apps send MD5 fingerprints; recognising one needs computing it
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

// needles are the texts that may stand at the place, the most telling first.
func needles(f judge.Finding, p judge.Pointer) []string {
	var out []string
	add := func(s string) {
		if len(s) < 3 {
			return
		}
		for _, have := range out {
			if have == s {
				return
			}
		}
		out = append(out, s)
	}
	hashed := false
	for _, step := range p.Chain {
		hashed = hashed || explain.Hash(step)
	}
	if f.Value != "" {
		if hashed {
			for _, fp := range fingerprints(f.Value, p.Chain) {
				add(fp.text)
			}
		} else {
			add(f.Value)
			add(url.QueryEscape(f.Value))
			add(hex.EncodeToString([]byte(f.Value)))
			add(strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(f.Value)), "="))
			add(strings.ReplaceAll(strings.ReplaceAll(f.Value, "-", ""), ":", ""))
		}
	}
	excerpt := strings.Trim(p.Excerpt, "… ")
	excerpt = strings.TrimSuffix(strings.TrimPrefix(excerpt, "..."), "...")
	add(excerpt)
	if _, after, ok := strings.Cut(excerpt, "="); ok { // the judge names the field before what stands in it
		add(after)
	}
	if !hashed && f.Value != "" { // a pair of coordinates is often sent as two numbers
		for _, part := range strings.Split(f.Value, ",") {
			add(part)
		}
	}
	if len(excerpt) > 32 {
		add(excerpt[:32])
	}
	return out
}

// find is the first place of the first needle that is there.
func (o opener) find(text []byte) span {
	var folded []byte
	for _, n := range o.needles {
		if i := bytes.Index(text, []byte(n)); i >= 0 {
			return span{i, i + len(n)}
		}
		if !isASCII(n) {
			continue
		}
		if folded == nil {
			folded = lowerASCII(text)
		}
		if i := bytes.Index(folded, []byte(strings.ToLower(n))); i >= 0 {
			return span{i, i + len(n)}
		}
	}
	return nowhere
}

// lowerASCII changes no byte's place, as bytes.ToLower may.
func lowerASCII(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// fingerprint is one way to write a hash of a value.
type fingerprint struct {
	text    string // as it may stand in a message
	of      string // the value as it was hashed
	program string // that computes it: sha256sum
	hex     bool
}

// fingerprints computes the hashes that a chain names, of the spellings that apps use.
func fingerprints(value string, chain []string) []fingerprint {
	var out []fingerprint
	for _, step := range chain {
		sum, program := hashOf(step)
		if sum == nil {
			continue
		}
		for _, v := range spellings(value) {
			d := sum([]byte(v))
			out = append(out,
				fingerprint{hex.EncodeToString(d), v, program, true},
				fingerprint{strings.TrimRight(base64.StdEncoding.EncodeToString(d), "="), v, program, false},
				fingerprint{strings.TrimRight(base64.URLEncoding.EncodeToString(d), "="), v, program, false},
				fingerprint{base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(d))), v, program, false})
		}
	}
	return out
}

func hashOf(step string) (func([]byte) []byte, string) {
	s := strings.ToLower(strings.ReplaceAll(step, "-", ""))
	switch {
	case strings.HasPrefix(s, "md5"):
		return func(b []byte) []byte { d := md5.Sum(b); return d[:] }, "md5sum" //nolint:gosec // see the import
	case strings.HasPrefix(s, "sha1"):
		return func(b []byte) []byte { d := sha1.Sum(b); return d[:] }, "sha1sum" //nolint:gosec // see the import
	case strings.HasPrefix(s, "sha256"):
		return func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }, "sha256sum"
	case strings.HasPrefix(s, "sha512"):
		return func(b []byte) []byte { d := sha512.Sum512(b); return d[:] }, "sha512sum"
	}
	return nil, ""
}

func spellings(value string) []string {
	bare := strings.NewReplacer("-", "", ":", "", " ", "").Replace(value)
	all := []string{value, strings.ToLower(value), strings.ToUpper(value), bare, strings.ToLower(bare), strings.ToUpper(bare), strings.TrimPrefix(value, "+")}
	var out []string
	for _, s := range all {
		known := false
		for _, have := range out {
			known = known || have == s
		}
		if !known {
			out = append(out, s)
		}
	}
	return out
}

// check is a command with which anyone can compute the fingerprint that stands in text; empty where none does.
func check(value string, chain []string, text []byte) string {
	folded := string(lowerASCII(text))
	for _, fp := range fingerprints(value, chain) {
		if !isASCII(fp.of) || strings.ContainsFunc(fp.of, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			continue
		}
		quoted := "'" + strings.ReplaceAll(fp.of, "'", `'\''`) + "'"
		switch {
		case fp.hex && strings.Contains(folded, fp.text):
			return fmt.Sprintf("printf %%s %s | %s", quoted, fp.program)
		case !fp.hex && strings.Contains(string(text), fp.text):
			return fmt.Sprintf("printf %%s %s | openssl dgst -%s -binary | base64", quoted, strings.TrimSuffix(fp.program, "sum"))
		}
	}
	return ""
}
