package account

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Every signature fits a request that has its marks, and none that lacks one or has
// one too many.
func TestSignatures(t *testing.T) {
	tr := newTraffic(t)
	for i := range tr.kb.Signatures {
		s := &tr.kb.Signatures[i]
		t.Run(s.ID, func(t *testing.T) {
			for j := range s.Where {
				whole, minted := example(s, &s.Where[j], -1)
				after := exchange{method: "GET", url: "https://" + hostOf(&s.Where[j]) + "/later", headers: bearer(minted)}
				out := tr.outcomes("", whole, after)
				if len(out) != 1 || out[0].Signature != s.ID || out[0].Kind != s.Kind || s.Kind == knowledge.KindAccount && !out[0].Used {
					t.Errorf("place %d: %+v", j, out)
				}
				if s.Kind == knowledge.KindAccount {
					if out := tr.outcomes("", whole); kinds(out) != "account unused" {
						t.Errorf("place %d, not used: %s", j, kinds(out))
					}
				}
				for k := range s.Present {
					near, minted := example(s, &s.Where[j], k)
					near2 := after
					near2.headers = bearer(minted)
					if out := tr.outcomes("", near, near2); slices.ContainsFunc(out, func(o Outcome) bool { return o.Signature == s.ID }) {
						t.Errorf("place %d fits without %s", j, s.Present[k].At)
					}
				}
				for _, a := range s.Absent {
					near, _ := example(s, &s.Where[j], -1)
					place(&near, a.At, cmp.Or(a.Equals, "person@mail.example"))
					if out := tr.outcomes("", near, after); slices.ContainsFunc(out, func(o Outcome) bool { return o.Signature == s.ID }) {
						t.Errorf("place %d fits with %s", j, a.At)
					}
				}
				wrong := whole
				wrong.method = "DELETE"
				other := whole
				other.url = strings.Replace(whole.url, "https://"+hostOf(&s.Where[j]), "https://elsewhere.example", 1)
				path := whole
				path.url = strings.Replace(whole.url, hostOf(&s.Where[j])+"/", hostOf(&s.Where[j])+"/x/", 1)
				if strings.HasPrefix(s.Where[j].Paths[0], "**") { // any prefix is allowed, so it is the end that must differ
					u, _ := url.Parse(whole.url)
					u.Path += "x"
					path.url = u.String()
				}
				for name, near := range map[string]exchange{"another method": wrong, "another host": other, "another path": path} {
					if name == "another host" && len(s.Where[j].Hosts) == 0 {
						continue
					}
					if out := tr.outcomes("", near, after); slices.ContainsFunc(out, func(o Outcome) bool { return o.Signature == s.ID }) {
						t.Errorf("place %d fits with %s", j, name)
					}
				}
			}
		})
	}
}

func hostOf(w *knowledge.Where) string {
	if len(w.Hosts) == 0 {
		return "self.example"
	}
	return strings.ReplaceAll(w.Hosts[0], "*", "x")
}

// example makes a request with the marks of a signature, less one, and an answer that
// mints what it says. It returns the last value minted.
func example(s *knowledge.Signature, w *knowledge.Where, without int) (exchange, string) {
	path := strings.NewReplacer("**", "", "{", "", "}", "").Replace(w.Paths[0])
	x := exchange{method: "POST", url: "https://" + hostOf(w) + path, body: object{}, reply: object{}}
	if len(w.Methods) > 0 {
		x.method = w.Methods[0]
	}
	for i, m := range s.Present {
		if i != without {
			place(&x, m.At, m.Equals)
		}
	}
	last := token
	answer := exchange{body: x.reply}
	for i, m := range s.Minted {
		last = fmt.Sprintf("%s%02dq", token[:40], i)
		place(&answer, m.At, last)
	}
	x.reply, x.set = answer.body, answer.headers
	for i := range x.set {
		if x.set[i].Name == "Cookie" {
			x.set[i].Name = "Set-Cookie"
		}
	}
	return x, last
}

// place puts a value where a marker says.
func place(x *exchange, at, value string) {
	if value == "" {
		value = "some-value"
	}
	kind, name, _ := strings.Cut(at, ":")
	name = strings.ReplaceAll(strings.TrimPrefix(name, "$."), "*", "x")
	switch kind {
	case "body":
		o := x.body.(object)
		keys := strings.Split(name, ".")
		for _, k := range keys[:len(keys)-1] {
			inner, ok := o[k].(object)
			if !ok {
				inner = object{}
				o[k] = inner
			}
			o = inner
		}
		if _, taken := o[keys[len(keys)-1]].(object); !taken {
			o[keys[len(keys)-1]] = value
		}
	case "query":
		separator := "?"
		if strings.Contains(x.url, "?") {
			separator = "&"
		}
		x.url += separator + name + "=" + url.QueryEscape(value)
	case "header":
		x.headers = append(x.headers, flow.Header{Name: name, Value: value})
	case "cookie":
		x.headers = append(x.headers, flow.Header{Name: "Cookie", Value: name + "=" + value})
	}
}
