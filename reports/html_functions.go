package reports

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// functions are what the template can call. Those that take text make it inert.
func functions() template.FuncMap {
	return template.FuncMap{
		"line":     func(s any) string { return inert.Line(fmt.Sprint(s), 400) },
		"short":    func(s any) string { return inert.Middle(fmt.Sprint(s), 90) },
		"consent":  explain.Consent,
		"country":  explain.Country,
		"kind":     func(k any) string { return explain.Kind(fmt.Sprint(k)) },
		"bytes":    func(n int64) string { return explain.Bytes(n) },
		"kernel":   func(n uint64) string { return explain.Bytes(int64(min(n, 1<<62))) },
		"number":   func(n int) string { return explain.Number(int64(n)) },
		"events":   func(n uint64) string { return explain.Number(int64(min(n, 1<<62))) },
		"count":    func(n int, one, many string) string { return explain.Count(int64(n), one, many) },
		"title":    title,
		"slug":     slug,
		"day":      func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05.000") },
		"moment":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") },
		"spread":   spread,
		"reason":   reason,
		"said":     func(s any) string { return explain.Line(fmt.Sprint(s), 1000) },
		"grounds":  explain.Grounds,
		"promise":  explain.Promise,
		"sure":     explain.Sure,
		"compared": explain.Compared,
		"join":     join,
		"offset":   func(first, line int) int { return first + line*lineH },
		"offset1":  func(at, by int) int { return at + by },
	}
}

// slug is the class of a verdict in the style sheet.
func slug(v judge.Verdict) string {
	if explain.Verdict(v) == "" {
		return "unknown"
	}
	return strings.ReplaceAll(string(v), " ", "-")
}

// title begins a phrase with a capital letter, unless it begins with the name of a host.
func title(v any) string {
	s := inert.Line(fmt.Sprint(v), 400)
	if word, _, _ := strings.Cut(s, " "); strings.Contains(strings.TrimRight(word, "."), ".") {
		return s
	}
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// spread breaks a digest into groups that a person can compare.
func spread(d any) string {
	s := inert.Line(fmt.Sprint(d), 200)
	if len(s) != 64 {
		return s
	}
	var groups []string
	for i := 0; i < len(s); i += 8 {
		groups = append(groups, s[i:i+8])
	}
	return strings.Join(groups, " ")
}

// lasted writes a duration for people: "41 s", "12 min 5 s".
func lasted(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
