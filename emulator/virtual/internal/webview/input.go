package webview

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long an input event waits for a page to take it. A page that
// is busy gets it later, and one that goes elsewhere never says; a device's
// input does not wait for apps either.
const patience = time.Second

// deliver sends an input event and waits until the page has taken it, or is
// found to be too busy, or is gone, which may be what the event did to it.
func deliver[P any](ctx context.Context, s *session, c cdp.Command[P, cdp.Empty], params P) error {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := call(short, s, c, params)
	if err != nil && short.Err() != nil && ctx.Err() == nil || errors.Is(err, errGone) {
		return nil
	}
	return err
}

// touch is a finger at a point of the screen, in pixels.
func (p *process) touch(at image.Point) []*input.TouchPoint {
	f := density(p.launch.Device)
	return []*input.TouchPoint{{X: float64(at.X) / f, Y: float64(at.Y) / f, RadiusX: new(8.0), RadiusY: new(8.0), Force: new(1.0)}}
}

func (p *process) inputError(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in %s: %w", what, p.launch.Package, err)
}

func (p *process) Tap(ctx context.Context, x, y int) error {
	if err := p.alive(ctx); err != nil {
		return p.inputError("tap", err)
	}
	s := p.front().session
	tell(s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: p.touch(image.Pt(x, y))})
	return p.inputError("tap", deliver(ctx, s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}}))
}

// frame is the time between two positions of a moving finger.
const frame = 16 * time.Millisecond

func (p *process) Swipe(ctx context.Context, from, to image.Point, millis int) error {
	if err := p.alive(ctx); err != nil {
		return p.inputError("swipe", err)
	}
	s := p.front().session
	steps := max(1, int(time.Duration(millis)*time.Millisecond/frame))
	tick := time.NewTicker(frame)
	defer tick.Stop()
	tell(s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: p.touch(from)})
	for i := 1; i <= steps; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tell(s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchCancel, TouchPoints: []*input.TouchPoint{}})
			return p.inputError("swipe", context.Cause(ctx))
		}
		at := from.Add(to.Sub(from).Mul(i).Div(steps))
		tell(s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchMove, TouchPoints: p.touch(at)})
	}
	return p.inputError("swipe", deliver(ctx, s, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}}))
}

func (p *process) Text(ctx context.Context, text string) error {
	if err := p.alive(ctx); err != nil {
		return p.inputError("text", err)
	}
	s := p.front().session
	for _, r := range text {
		var err error
		if _, known := kb.Keys[r]; known {
			err = p.strike(ctx, s, r)
		} else {
			err = deliver(ctx, s, input.InsertText, input.InsertTextParams{Text: string(r)})
		}
		if err != nil {
			return p.inputError("text", err)
		}
	}
	return nil
}

// strike presses and lets go of the key of a rune in chromedp's table.
func (p *process) strike(ctx context.Context, s *session, r rune) error {
	events := kb.Encode(r)
	for _, e := range events[:len(events)-1] {
		tell(s, input.DispatchKeyEvent, *e)
	}
	return deliver(ctx, s, input.DispatchKeyEvent, *events[len(events)-1])
}

func (p *process) Key(ctx context.Context, key string) error {
	if err := p.alive(ctx); err != nil {
		return p.inputError("key", err)
	}
	runes := keyed(key)
	if len(runes) == 0 {
		return p.inputError("key", fmt.Errorf("%q is no DOM key name", key))
	}
	return p.inputError("key", p.strike(ctx, p.front().session, runes[0]))
}

// keyed finds a key in chromedp's table by its DOM name
// (https://www.w3.org/TR/uievents-key/) or by what it writes.
func keyed(name string) []rune {
	var found []rune
	for r, k := range kb.Keys {
		if k.Key == name && (len(name) > 1 || string(r) == name) && r != '\n' {
			found = append(found, r)
		}
	}
	slices.Sort(found)
	return found
}

// Back goes back in the page's history; see [android.Process]. A prompt takes
// the key and stays, as a request for a permission does.
func (p *process) Back(ctx context.Context) (bool, error) {
	if err := p.alive(ctx); err != nil {
		return false, p.inputError("back", err)
	}
	if p.front().system {
		return true, nil
	}
	s := p.page()
	h, err := call(ctx, s, page.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		return false, p.inputError("back", err)
	}
	i := h.CurrentIndex - 1
	// The blank page that the browser began with is no place to go back to.
	if i < 0 || i >= int64(len(h.Entries)) || i == 0 && h.Entries[0].URL == "about:blank" {
		return false, nil
	}
	_, err = call(ctx, s, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: h.Entries[i].ID})
	return err == nil, p.inputError("back", err)
}
