package reports

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// How much one picture of a way holds; the rest is counted.
const (
	maxWays    = 24 // pictures in a page
	mostValues = 4
	mostStores = 4
	mostUses   = 6
)

// way is where what a service issued went: from the answer to where the app keeps it, and to where it sent it back.
// It is that of one answer. Places are joined where the same value stands in them, and by nothing else.
type way struct {
	Asked  *waypoint
	Values []waypoint // in the answer
	Stores []waypoint
	Uses   []waypoint
	More   []string // what is left out, in words
}

// waypoint is a place of one kind, however often it was seen.
type waypoint struct {
	What    string // in words: "body, at $.user.id"
	Where   string // the value, the folder, the host
	Use     string // of a use: "a bearer token"
	Carries []int  // the values that stand there, by number from 1
	Times   int
	At      time.Time // of the first
	Event   uint64
}

// newWay reads the way out of a finding's proof; nil where none was seen.
func newWay(rec *record.Record, f judge.Finding) *way {
	i := slices.IndexFunc(f.Proof, func(p judge.Pointer) bool { return p.Role == "minted" })
	if _, ok := issuedKind(f.Claim); !ok || i < 0 {
		return nil
	}
	w, answer := &way{}, f.Proof[i].Flow
	var values []string
	others := make(map[string]bool)
	for _, p := range f.Proof {
		here := waypoint{Times: 1, At: rec.Times[p.Event], Event: p.Event}
		switch {
		case p.Flow != answer:
			if p.Role == "minted" {
				others[string(p.Flow)] = true
			}
		case p.Role == "asked" && w.Asked == nil:
			here.What, here.Where = asked(p.Excerpt)
			w.Asked = &here
		case p.Role == "minted":
			v := mintedValue(p)
			if len(values) == mostValues || v == "" || slices.Contains(values, v) {
				continue
			}
			values = append(values, v)
			here.What, here.Where, here.Carries = explain.Surface(p.Surface), inert.Middle(v, 60), []int{len(values)}
			w.Values = append(w.Values, here)
		}
	}
	for _, p := range f.Proof {
		here := waypoint{Times: 1, At: rec.Times[p.Event], Event: p.Event}
		for i, v := range values {
			if standsIn(p.Excerpt, v) {
				here.Carries = append(here.Carries, i+1)
			}
		}
		use, used := strings.CutPrefix(p.Role, "used")
		switch {
		case len(here.Carries) == 0:
		case p.Role == "stored":
			file := strings.TrimPrefix(p.Surface, "file:")
			here.What, here.Where = inert.Middle(path.Base(file), 60), inert.Middle(path.Dir(file), 80)
			w.Stores = meet(w.Stores, here)
		case used:
			here.What, here.Use = explain.Surface(p.Surface), explain.Use(strings.TrimPrefix(use, ": "))
			if q := rec.Flows[p.Flow]; q != nil {
				here.Where = hostOf(q.Request.URL)
			}
			w.Uses = meet(w.Uses, here)
		}
	}
	if len(w.Values) == 0 || len(w.Stores)+len(w.Uses) == 0 {
		return nil
	}
	w.Stores = w.cut(w.Stores, mostStores, "more file", "more files")
	w.Uses = w.cut(w.Uses, mostUses, "more place where it was sent back", "more places where it was sent back")
	if n := len(others); n > 0 {
		w.More = append(w.More, explain.Count(int64(n), "more answer of the same kind", "more answers of the same kind"))
	}
	return w
}

// meet adds a place, or to one that is the same.
func meet(list []waypoint, p waypoint) []waypoint {
	for i := range list {
		if have := &list[i]; have.What == p.What && have.Where == p.Where && have.Use == p.Use {
			have.Times++
			for _, n := range p.Carries {
				if !slices.Contains(have.Carries, n) {
					have.Carries = append(have.Carries, n)
				}
			}
			slices.Sort(have.Carries)
			return list
		}
	}
	return append(list, p)
}

func (w *way) cut(list []waypoint, most int, one, many string) []waypoint {
	if n := len(list) - most; n > 0 {
		w.More = append(w.More, explain.Count(int64(n), one, many))
		return list[:most]
	}
	return list
}

// Left says what the picture leaves out.
func (w *way) Left() string { return join(w.More, "and") }

// asked takes a request apart: "POST /v1/users" and the host.
func asked(excerpt string) (what, host string) {
	method, address, ok := strings.Cut(excerpt, " ")
	if !ok {
		method, address = "", excerpt
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return inert.Middle(excerpt, 80), ""
	}
	return inert.Middle(strings.TrimSpace(method+" "+u.EscapedPath()), 80), inert.Middle(u.Host, 80)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return inert.Middle(u.Hostname(), 80)
}

// mintedValue is the value that a place in an answer gave out: the judge quotes it behind the field's name.
func mintedValue(p judge.Pointer) string {
	s := strings.TrimSuffix(p.Excerpt, "…")
	if key, v, ok := strings.Cut(s, "="); ok && key != "" && strings.HasSuffix(p.Surface, key) {
		s = v
	}
	return strings.TrimSpace(s)
}

// standsIn reports whether a value stands in an excerpt as a whole, and not as a part of a longer one.
func standsIn(excerpt, v string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for at := 0; ; {
		i := strings.Index(excerpt[at:], v)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(excerpt[:at+i])
		after, _ := utf8.DecodeRuneInString(excerpt[at+i+len(v):])
		if (before == utf8.RuneError || !inWord(before)) && (after == utf8.RuneError || !inWord(after)) {
			return true
		}
		at += i + len(v)
	}
}

// Steps say the way in words, one step each.
func (w *way) Steps() []string {
	var out []string
	if w.Asked != nil {
		out = append(out, strings.TrimSpace("The app asked: "+w.Asked.What+at(" at ", w.Asked.Where)))
	}
	for _, v := range w.Values {
		out = append(out, fmt.Sprintf("The answer gave out value %d, in its %s: %s", v.Carries[0], lower(v.What), v.Where))
	}
	for _, s := range w.Stores {
		out = append(out, fmt.Sprintf("The app keeps %s in its file %s%s%s", carried(s.Carries), s.What, at(", in ", s.Where), times(s.Times)))
	}
	for _, u := range w.Uses {
		out = append(out, fmt.Sprintf("The app sent %s back%s%s, in the %s%s", carried(u.Carries), at(" as ", u.Use), at(" to ", u.Where), lower(u.What), times(u.Times)))
	}
	return out
}

// lower begins a name of a place with a small letter, unless it is an abbreviation.
func lower(s string) string {
	if strings.HasPrefix(s, "URL") {
		return s
	}
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[n:]
}

func at(word, s string) string {
	if s == "" || s == "." {
		return ""
	}
	return word + s
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (seen %d times)", n)
}

// carried names values by their numbers: "value 1", "values 1 and 2".
func carried(numbers []int) string {
	var out []string
	for _, n := range numbers {
		out = append(out, fmt.Sprint(n))
	}
	if len(out) == 1 {
		return "value " + out[0]
	}
	return "values " + join(out, "and")
}
