package audit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestUndoTakesBackInReverseAndGoesOn(t *testing.T) {
	var u undoStack
	var order []string
	broken := errors.New("cable out")
	for _, what := range []string{"first", "second", "third"} {
		u.push(what, func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				t.Errorf("%s: the context has ended: %v", what, err)
			}
			order = append(order, what)
			if what == "second" {
				return broken
			}
			return nil
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as Ctrl-C does

	reported := map[string]error{}
	err := u.run(ctx, func(what string, err error) { reported[what] = err })
	if want := []string{"third", "second", "first"}; !slices.Equal(order, want) {
		t.Errorf("took back %v, want %v", order, want)
	}
	if !errors.Is(err, ErrLeftBehind) || !errors.Is(err, broken) || !strings.Contains(err.Error(), "second") {
		t.Errorf("error %v; it should wrap ErrLeftBehind and the cause, and name what is left", err)
	}
	if len(reported) != 3 || !errors.Is(reported["second"], broken) || reported["first"] != nil {
		t.Errorf("reported %v", reported)
	}
	if err := u.run(ctx, nil); err != nil || len(order) != 3 {
		t.Errorf("a second run does something: %v, %v", err, order)
	}
}
