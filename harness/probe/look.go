package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// glance is how often a page is looked at while something is waited for.
const glance = 100 * time.Millisecond

const tooManyRequests = http.StatusTooManyRequests

// wanted is a sign as the page is asked for it: a text in lower case and single spaces,
// or a selector.
type wanted struct {
	Text     string `json:"text,omitempty"`
	Selector string `json:"selector,omitempty"`
	answer   Answer
	name     string // what was seen, for a person
}

// looked is what the page answers.
type looked struct {
	Hits    []int  `json:"hits"`    // of the signs, those that can be seen
	There   []int  `json:"there"`   // of the selectors, those that find something hidden
	Invalid int    `json:"invalid"` // a selector that is none, or -1
	Why     string `json:"why"`
}

// until looks at the page again and again until done says so or ctx ends. A page that is
// just being exchanged for another is asked again.
func (v *visit) look(ctx context.Context, signs []wanted, done func(looked) bool) bool {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if l, err := v.browser.look(ctx, signs); err == nil && done(l) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// find waits until an element can be seen. Where it can't, the reason is noted.
func (v *visit) find(t text, verb string) bool {
	ctx, cancel := v.patient()
	defer cancel()
	var last looked
	v.look(ctx, []wanted{{Selector: t.Value}}, func(l looked) bool {
		last = l
		return len(l.Hits) > 0 || l.Invalid >= 0 || v.limited()
	})
	where := fmt.Sprintf("step %d (%s %s)", v.Step, verb, t.Value)
	switch {
	case v.Answer != "": // the website limits
	case len(last.Hits) > 0:
		return true
	case last.Invalid >= 0 && last.Why != "":
		v.end(Unknown, "", "%s: that is no CSS selector (%s)", where, last.Why)
	case v.barred():
	case len(last.There) > 0:
		v.end(Unknown, "", "%s: the page has such an element, and it stayed hidden %s", where, v.spent())
	default:
		v.end(Unknown, "", "%s: nothing on the page matches the selector %s%s", where, v.spent(), v.status())
	}
	return false
}

// spent is tooLong in the past.
func (v *visit) spent() string { return "(looked for " + v.tooLong() + ")" }

// status says an error that the page itself states.
func (v *visit) status() string {
	if _, status := v.browser.seen.all(); status >= 400 {
		return fmt.Sprintf("; the website answered with status %d (%s)", status, http.StatusText(status))
	}
	return ""
}

// wait looks for the answer.
func (v *visit) wait(w *Wait) {
	signs, err := v.signs(w)
	if err != nil {
		v.end(Unknown, "", "step %d: %v", v.Step, err)
		return
	}
	ctx, cancel := v.patient()
	defer cancel()
	var last looked
	v.look(ctx, signs, func(l looked) bool {
		last = l
		return len(l.Hits) > 0 || l.Invalid >= 0 || v.limited()
	})
	switch {
	case v.Answer != "":
	case last.Invalid >= 0 && last.Invalid < len(signs) && last.Why != "":
		v.end(Unknown, "", "step %d: %s is no CSS selector (%s)", v.Step, signs[last.Invalid].Selector, last.Why)
	case len(last.Hits) > 0:
		v.answered(signs, last.Hits)
	case v.barred():
	default:
		v.end(Unknown, "", "step %d: the page shows none of the signs that are waited for %s%s", v.Step, v.spent(), v.status())
	}
}

// answered notes the answer that the signs give, if they give one.
func (v *visit) answered(signs []wanted, hits []int) {
	var answers []Answer
	for _, i := range hits {
		if i < 0 || i >= len(signs) {
			continue // a page that answers what it was not asked
		}
		if !slices.Contains(answers, signs[i].answer) {
			answers = append(answers, signs[i].answer)
		}
	}
	if len(answers) == 0 {
		v.end(Unknown, "", "step %d: the page can't be read", v.Step)
		return
	}
	first := signs[hits[0]]
	if len(answers) > 1 {
		v.end(Unknown, "", "step %d: the page shows signs of %s and of %s at once; choose signs that only one answer has", v.Step, answers[0], answers[1])
		return
	}
	words := map[Answer]string{
		Exists: "the website knows the person", Not: "the website does not know the person", Blocked: "the website wants a person before it answers",
	}
	v.end(answers[0], first.name, "%s: it shows %s", words[answers[0]], first.name)
}

// signs are all that a wait looks for, with the canaries in their place.
func (v *visit) signs(w *Wait) ([]wanted, error) {
	var out []wanted
	for _, of := range []struct {
		answer Answer
		signs  []Sign
	}{{Exists, w.Exists}, {Not, w.Not}, {Blocked, w.Blocked}} {
		for _, s := range of.signs {
			if s.Selector.given() {
				out = append(out, wanted{Selector: s.Selector.Value, answer: of.answer, name: "the element " + s.Selector.Value})
				continue
			}
			said, err := expand(s.Text.Value, v.id, plain)
			if err != nil {
				return nil, err
			}
			out = append(out, wanted{Text: folded(said), answer: of.answer, name: fmt.Sprintf("the text %q", said)})
		}
	}
	return out, nil
}

// folded is a text in lower case and with single spaces.
func folded(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// barred notes a captcha or a limit that is known, or a page that refuses.
func (v *visit) barred() bool {
	var signs []wanted
	for _, b := range v.barriers {
		for _, s := range b.Selectors {
			signs = append(signs, wanted{Selector: s, name: b.Name})
		}
		for _, s := range b.Texts {
			signs = append(signs, wanted{Text: folded(s), name: b.Name})
		}
	}
	ctx, cancel := context.WithTimeout(v.browser.ctx, likeness)
	defer cancel()
	l, err := v.browser.look(ctx, signs)
	if err == nil && len(l.Hits) > 0 && l.Hits[0] >= 0 && l.Hits[0] < len(signs) {
		name := signs[l.Hits[0]].name
		v.end(Blocked, name, "the website wants a person before it answers (%s)", name)
		return true
	}
	if _, status := v.browser.seen.all(); status == http.StatusForbidden {
		v.end(Blocked, "status 403", "the website refuses the visit (status 403)")
		return true
	}
	return false
}

// lookJS is asked of the page with the signs as JSON.
const lookJS = `((signs) => {
	const seen = (e) => {
		const r = e.getBoundingClientRect();
		return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility === "visible";
	};
	const shown = (document.body ? document.body.innerText : "").toLowerCase().replace(/\s+/g, " ");
	const out = { hits: [], there: [], invalid: -1, why: "" };
	signs.forEach((s, i) => {
		if (s.text) {
			if (shown.includes(s.text)) out.hits.push(i);
			return;
		}
		try {
			const all = [...document.querySelectorAll(s.selector)];
			if (all.some(seen)) out.hits.push(i);
			else if (all.length) out.there.push(i);
		} catch (e) {
			if (out.invalid < 0) { out.invalid = i; out.why = String(e.message).slice(0, 200); }
		}
	});
	return out;
})`
