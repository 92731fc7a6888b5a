package evidence

import (
	"errors"
	"fmt"
	"syscall"
)

// The errors that a caller may have to decide on; use errors.Is.
var (
	// ErrNotEmpty: the folder for new evidence has something in it.
	ErrNotEmpty = errors.New("the folder is not empty")
	// ErrFull: the disk, the quota or the permitted file size is used up. It
	// wraps syscall.ENOSPC, whatever of these it was.
	ErrFull error = fmt.Errorf("the disk is full: %w", syscall.ENOSPC)
	// ErrSealed: the evidence is sealed already; nothing can be added to it.
	ErrSealed = errors.New("the evidence is sealed")
	// ErrUnsealed: the audit was killed before it could seal its evidence.
	ErrUnsealed = errors.New("the evidence is not sealed")
	// ErrNotBundle: the folder holds no evidence.
	ErrNotBundle = errors.New("no evidence here")
	// ErrInUse: another process is writing this evidence.
	ErrInUse = errors.New("the evidence is being written by a running audit")
	// ErrBroken: the evidence is not what it was when it was sealed.
	ErrBroken = errors.New("the evidence was changed or damaged")
)

// full makes an error of a full disk recognisable as ErrFull. What can't be
// mended by freeing room passes unchanged.
func full(err error) error {
	for _, no := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, no) && !errors.Is(err, ErrFull) {
			return fmt.Errorf("%w (%w)", ErrFull, err)
		}
	}
	return err
}
