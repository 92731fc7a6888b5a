package account

import (
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// Whatever a page, a cookie or an id is, reading it ends and does not panic, and what it
// gives out stays within the limits.
func FuzzAnswers(f *testing.F) {
	tr := newTraffic(f)
	for _, seed := range []string{
		`<!DOCTYPE html><script>window.__S__ = {"user":{"id":"` + uuid + `"}}</script><input type=hidden name=a value=b>`,
		`<html><script>a={"x":"\"}{"}</script><meta name=token content=` + token + `>`, "<script>", `<input type="hidden"`, "={{{", uuid,
		"session=x; Max-Age=99999999999999999999; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "01HX6EH5P8ZK3VQ9XWS1MT7BRY", "9999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := &Message{Event: 2, Response: true}
		tr.opener.Walk(unwrap.Message{Body: []byte(text), Response: true}, func(p *unwrap.Part) {
			m.Part(p)
			m.Page(tr.opener, p)
		})
		if len(m.Values) > mostValues {
			t.Errorf("%d values", len(m.Values))
		}
		for name, d := range Lifetimes([]flow.Header{{Name: "Set-Cookie", Value: text}}, time.Time{}) {
			if d < -1 || d > 101*365*24*time.Hour {
				t.Errorf("cookie %q is kept for %v", name, d)
			}
		}
		tracker := NewTracker(tr.kb)
		if at, _, _ := tracker.encodedTime(text, "discord.com", time.Time{}); !at.IsZero() && (at.Year() < 2005 || at.Year() > 2100) {
			t.Errorf("%q was made at %v", text, at)
		}
		sums(text)
		core(text)
		parseTime(text)
	})
}
