package device

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/screen"
)

// faulty is a uiautomator that answers with each of its words in turn, and then with the last again.
func faulty(words ...string) (dump func(context.Context) ([]byte, error), calls *int) {
	calls = new(int)
	return func(context.Context) ([]byte, error) {
		w := words[min(*calls, len(words)-1)]
		*calls++
		if why, ok := strings.CutPrefix(w, "!"); ok {
			return nil, fmt.Errorf("%w: uiautomator says %q", screen.ErrNoScreen, why)
		}
		return []byte(w), nil
	}, calls
}

const tree = `<hierarchy><node text="%s" package="%s" bounds="[0,0][9,9]"/></hierarchy>`

func TestLook(t *testing.T) {
	good := fmt.Sprintf(tree, "here", "a.b")
	for name, c := range map[string]struct {
		words []string
		calls int
		fails bool
	}{
		"at once":                  {[]string{good}, 1, false},
		"after its known faults":   {[]string{"!ERROR: null root node returned by UiTestAutomationBridge.", "!ERROR: could not get idle state.", "!Killed", good}, 4, false},
		"after a file cut off":     {[]string{good[:30], good}, 2, false},
		"never":                    {[]string{"!ERROR: could not get idle state."}, dumpTries, true},
		"never, for want of nodes": {[]string{""}, dumpTries, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dump, calls := faulty(c.words...)
				root, raw, err := look(t.Context(), dump)
				if *calls != c.calls || (err != nil) != c.fails {
					t.Fatalf("%d calls, %v", *calls, err)
				}
				if c.fails && !errors.Is(err, screen.ErrNoScreen) {
					t.Error(err)
				}
				if !c.fails && (root.Children[0].Text != "here" || string(raw) != good) {
					t.Errorf("%s", raw)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		stuck := func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
		start := time.Now()
		if _, _, err := look(t.Context(), stuck); !errors.Is(err, screen.ErrNoScreen) || time.Since(start) > dumpTries*(dumpTime+dumpPause) {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
	gone := func(context.Context) ([]byte, error) { return nil, adb.ErrDeviceGone }
	if _, _, err := look(t.Context(), gone); !errors.Is(err, adb.ErrDeviceGone) {
		t.Error(err)
	}
}

func TestSettle(t *testing.T) {
	look := func(trees ...string) func(context.Context) (*screen.Node, error) {
		i := 0
		return func(context.Context) (*screen.Node, error) {
			w := trees[i%len(trees)]
			i++
			if w == "!" {
				return nil, screen.ErrNoScreen
			}
			text, pkg, _ := strings.Cut(w, "@")
			return screen.Parse(strings.NewReader(fmt.Sprintf(tree, text, pkg)))
		}
	}
	for name, c := range map[string]struct {
		trees []string
		after time.Duration
		want  error
	}{
		"at rest":                    {[]string{"x"}, settlePause, nil},
		"after it loaded":            {[]string{"1", "2", "3", "3"}, 3 * settlePause, nil},
		"a clock in the status bar":  {[]string{"9:00@com.android.systemui", "9:01@com.android.systemui"}, settlePause, nil},
		"an animation without end":   {[]string{"1", "2"}, 5 * time.Second, ErrUnsettled},
		"no tree between two looks":  {[]string{"x", "!", "x", "x"}, 3 * settlePause, nil},
		"never a tree, and says why": {[]string{"!"}, 5 * time.Second, screen.ErrNoScreen},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := settle(t.Context(), 5*time.Second, look(c.trees...))
				if !errors.Is(err, c.want) || time.Since(start) != c.after {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := settle(ctx, time.Second, look("1", "2")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	gone := func(context.Context) (*screen.Node, error) { return nil, adb.ErrDeviceGone }
	if err := settle(t.Context(), time.Second, gone); !errors.Is(err, adb.ErrDeviceGone) {
		t.Error(err)
	}
}
