package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/consent"
	"github.com/unasked-audit/unasked/harness/screen"
	"github.com/unasked-audit/unasked/harness/signup"
)

// signupSteps is the most screens that a sign-up may take, on the way to the form and in it.
const signupSteps = 10

// signUp signs the person of the arm run up in the app's own form, as far as its fields
// are recognised. From the first key on, what the app does is what a person asked for.
func (r *run) signUp(ctx context.Context) error {
	if !r.running {
		return &notReached{"the app is not running"}
	}
	tapped := map[string]bool{}
	filled, sent := "", 0
	for range signupSteps {
		root, err := r.settled(ctx)
		if err != nil {
			return err
		}
		if consent.Recognise(root, &r.Knowledge.Consent, r.app.Package).Kind == consent.Permission {
			if err := r.answerPrompt(ctx); err != nil {
				return err
			}
			continue
		}
		form := signup.Read(root, &r.Knowledge.Signup, r.app.Package)
		if form.Is() {
			if now := imprint(form); now == filled {
				return &notReached{"the sign-up form was filled in and sent, and it stayed: the app did not take it"}
			} else {
				filled = now
			}
			if err := r.fillIn(ctx, form); err != nil {
				if errors.Is(err, errMoved) {
					filled = ""
					continue
				}
				return err
			}
			sent++
			continue
		}
		if sent > 0 {
			return nil
		}
		way := nextWay(signup.Ways(root, &r.Knowledge.Signup, r.app.Package), tapped)
		if way == nil {
			return &notReached{"no way to a sign-up form was recognised on the screen"}
		}
		if err := r.tap(ctx, way, "the protocol signs up", ""); !errors.Is(err, errMoved) {
			tapped[way.Label()] = true
			if err != nil {
				return err
			}
		}
	}
	if sent > 0 {
		return nil
	}
	return &notReached{"no sign-up form was reached"}
}

// settled is the screen once it has come to rest.
func (r *run) settled(ctx context.Context) (*screen.Node, error) {
	if err := r.unlessPassing(ctx, r.dev.Settle(ctx, settle)); err != nil {
		return nil, err
	}
	root, _, err := r.dev.Screen(ctx)
	if err != nil {
		if r.unlessPassing(ctx, err) != nil {
			return nil, err
		}
		return nil, &notReached{fmt.Sprintf("the screen could not be read: %v", err)}
	}
	return root, nil
}

// nextWay is the first button that was not touched yet.
func nextWay(ways []*screen.Node, tapped map[string]bool) *screen.Node {
	for _, n := range ways {
		if !tapped[n.Label()] {
			return n
		}
	}
	return nil
}

// imprint tells one step of a form from the next.
func imprint(form signup.Form) string {
	var b strings.Builder
	for _, f := range form.Fields {
		fmt.Fprintf(&b, "%s %v\n", f.For, f.Node.Bounds)
	}
	return b.String()
}

// fillIn fills a form in and sends it.
func (r *run) fillIn(ctx context.Context, form signup.Form) error {
	password := canary.Password(r.Seed, r.person.Label)
	user, _, _ := strings.Cut(r.person.Value(canary.Email), "@")
	texts := map[string]string{
		signup.Mail: r.person.Value(canary.Email), signup.Name: r.person.Value(canary.Name),
		signup.User: user, signup.Password: password,
	}
	at := r.position
	at.signup = true
	r.move(at)
	for _, f := range form.Fields {
		text := texts[f.For]
		if f.Node.Text == text {
			continue
		}
		if err := r.tap(ctx, f.Node, "the sign-up form's field: "+f.For, ""); err != nil {
			return err
		}
		err := r.act("type", f.For, func() error { return r.dev.Text(ctx, text) })
		if err := r.unlessPassing(ctx, err); err != nil {
			return err
		}
		if err != nil {
			return &notReached{fmt.Sprintf("the sign-up form could not be filled in: %v", err)}
		}
	}
	for _, box := range form.Terms {
		if err := r.tap(ctx, box, "the sign-up form wants its terms agreed to", ""); err != nil {
			return err
		}
	}
	// The fields hold text now, and may have moved.
	root, err := r.settled(ctx)
	if err != nil {
		return err
	}
	again := signup.Read(root, &r.Knowledge.Signup, r.app.Package)
	if again.Submit == nil {
		return &notReached{"the button that sends the sign-up form is not to be seen any more"}
	}
	return r.tap(ctx, again.Submit, "the sign-up form is sent", "")
}
