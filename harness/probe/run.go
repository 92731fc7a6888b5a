package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/chromium"
)

// Options says how a probe is run.
type Options struct {
	// Network is how the website is reached; the zero value is the host's own network.
	Network emulator.Network
	// Barriers are the captchas and limits to recognise.
	Barriers []knowledge.Barrier
	// Chromium is the browser; "" for the one that chromium.Find finds.
	Chromium string
	// Tool is the program's name and version, for the User-Agent.
	Tool string
	Now  func() time.Time // nil for time.Now
}

// Result is what a website answered, once.
type Result struct {
	Answer    Answer
	Because   string // in a sentence
	Sign      string // what was seen on the page, for Exists, Not and Blocked
	Step      int    // where it ended, from 1; 0 where the first page did not open
	URL       string // of the page at the end
	Title     string
	Status    int // HTTP status of that page; 0 where there is none
	UserAgent string
	Began     time.Time
	Ended     time.Time
	Pictures  []Picture
	HTML      string    // of the page at the end, cut to 4 MiB
	Requests  []Request // of the page, the first 1,000
}

// Picture is a screenshot.
type Picture struct {
	Title string
	PNG   []byte
}

// Request is one request that the page made.
type Request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Type   string `json:"type"`             // Document, Script, XHR ...
	Status int64  `json:"status,omitempty"` // 0 where no answer came
	Media  string `json:"media,omitempty"`
	Failed string `json:"failed,omitempty"` // why no answer came
}

// UserAgent is what a probe calls itself: it hides from nobody that it is a machine.
func UserAgent(tool string) string {
	return fmt.Sprintf("Mozilla/5.0 (compatible; %s; +https://github.com/unasked-audit/unasked; automated test with canary data)",
		cmp.Or(tool, "unasked"))
}

// Run asks the website once about an identity. What the website does, or fails to do,
// is in the result; the error says that there was no asking: no browser (it wraps
// [chromium.ErrMissing]), a canary that the identity has not, or the context's end.
func Run(ctx context.Context, p *Probe, id canary.Identity, o Options) (*Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, kind := range p.Entered() {
		if id.Value(kind) == "" {
			return nil, fmt.Errorf("probe %s enters the %s, and the identity has none: add it, or probe with another canary", p.Name, kind)
		}
	}
	program, err := chromium.Find(o.Chromium)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", p.Name, err)
	}
	v := &visit{probe: p, id: id, barriers: o.Barriers}
	v.UserAgent, v.Began = UserAgent(o.Tool), o.Now().UTC()
	v.browser, err = open(ctx, program, v.UserAgent, o.Network)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", p.Name, err)
	}
	v.walk()
	v.keep()
	v.Requests, v.Status = v.browser.seen.all()
	closing := v.browser.close()
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, closing)
	}
	v.Ended = o.Now().UTC()
	return &v.Result, closing
}

// visit is one run under way.
type visit struct {
	Result
	probe    *Probe
	id       canary.Identity
	barriers []knowledge.Barrier
	browser  *browser
	until    context.Context // ends with the deadline
}

// end notes an answer.
func (v *visit) end(a Answer, sign, format string, args ...any) {
	v.Answer, v.Sign, v.Because = a, sign, fmt.Sprintf(format, args...)
}

// walk goes through the steps to the answer.
func (v *visit) walk() {
	var cancel context.CancelFunc
	v.until, cancel = context.WithTimeout(v.browser.ctx, v.probe.deadline())
	defer cancel()
	if !v.open(v.probe.URL) {
		return
	}
	for i := range v.probe.Steps {
		v.Step = i + 1
		if !v.step(&v.probe.Steps[i]) {
			return
		}
	}
}

// step does one step and reports whether the next may follow.
func (v *visit) step(s *Step) bool {
	switch {
	case s.Open.given():
		return v.open(s.Open)
	case s.Fill.given():
		value, _ := expand(s.With.Value, v.id, plain) // that it has it was asked before
		return v.find(s.Fill, "fill") && v.try(s.Fill.Value, "be filled in", fill(s.Fill.Value, value))
	case s.Click.given():
		if !v.find(s.Click, "click") {
			return false
		}
		v.picture("before the click on " + s.Click.Value)
		return v.try(s.Click.Value, "be clicked", click(s.Click.Value))
	case s.Press.given():
		v.picture("before the key " + s.Press.Value)
		return v.try("the key "+s.Press.Value, "be pressed", press(s.Press.Value))
	}
	v.wait(s.Wait)
	return false
}

// patient is a context for one step.
func (v *visit) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(v.until, v.probe.patience())
}

// tooLong says how long nothing happened for.
func (v *visit) tooLong() string {
	if v.until.Err() != nil {
		return fmt.Sprintf("by the deadline of %s", v.probe.deadline())
	}
	return fmt.Sprintf("within %s", v.probe.patience())
}

// open goes to an address and waits for its answer to begin.
func (v *visit) open(t text) bool {
	address, _ := expand(t.Value, v.id, inAddress)
	ctx, cancel := v.patient()
	defer cancel()
	failed, err := v.browser.navigate(ctx, address)
	switch {
	case err != nil && ctx.Err() != nil:
		v.end(Unknown, "", "the page %s did not answer %s", address, v.tooLong())
	case err != nil:
		v.end(Unknown, "", "the page %s could not be opened: %v", address, err)
	case failed != "":
		v.end(Unknown, "", "the page %s could not be opened: %s", address, netError(failed))
	default:
		return !v.limited()
	}
	return false
}

// limited notes a page that says by its status that it was asked too often.
func (v *visit) limited() bool {
	_, status := v.browser.seen.all()
	if status != tooManyRequests {
		return false
	}
	v.end(Blocked, "status 429", "the website says that it was asked too often (status 429)")
	return true
}

// try does something to an element that was found.
func (v *visit) try(what, done string, act action) bool {
	ctx, cancel := v.patient()
	defer cancel()
	if err := v.browser.do(ctx, act); err != nil {
		if ctx.Err() != nil {
			v.end(Unknown, "", "step %d: %s could not %s %s", v.Step, what, done, v.tooLong())
		} else {
			v.end(Unknown, "", "step %d: %s could not %s: %v", v.Step, what, done, err)
		}
		return false
	}
	return true
}

// keep takes the page's likeness at the end, whatever the end was.
func (v *visit) keep() {
	v.picture("the page at the end")
	ctx, cancel := context.WithTimeout(v.browser.ctx, likeness)
	defer cancel()
	if at, err := v.browser.page(ctx); err == nil {
		v.URL, v.Title, v.HTML = at.URL, at.Title, at.HTML
	}
}

// likeness bounds how long a page that does not answer is asked for its looks.
const likeness = 5 * time.Second

func (v *visit) picture(title string) {
	ctx, cancel := context.WithTimeout(v.browser.ctx, likeness)
	defer cancel()
	if png, err := v.browser.screenshot(ctx); err == nil {
		v.Pictures = append(v.Pictures, Picture{title, png})
	}
}
