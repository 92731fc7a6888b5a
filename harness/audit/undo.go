package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// undoStack holds what must be taken back, the last first.
type undoStack []undoStep

type undoStep struct {
	what string
	take func(context.Context) error
}

// undoDeadline is how long one step may take. A device that went away must not
// hold the sealing of the evidence up.
const undoDeadline = 15 * time.Second

func (u *undoStack) push(what string, take func(context.Context) error) {
	*u = append(*u, undoStep{what, take})
}

// run takes everything back, also when ctx has ended, and goes on after a step
// that fails. report is told of each step; it may be nil. The error wraps
// [ErrLeftBehind] and names what is left. A second run does nothing.
func (u *undoStack) run(ctx context.Context, report func(what string, err error)) error {
	var left []error
	steps := *u
	*u = nil
	for i := len(steps) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoDeadline)
		err := steps[i].take(ctx)
		cancel()
		if report != nil {
			report(steps[i].what, err)
		}
		if err != nil {
			left = append(left, fmt.Errorf("%s: %w", steps[i].what, err))
		}
	}
	if left == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrLeftBehind, errors.Join(left...))
}
