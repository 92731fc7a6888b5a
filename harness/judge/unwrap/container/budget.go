package container

import "errors"

// Budget is what the readers may spend on one message, whatever stands in it, and
// how deep. It is shared by all readers of the message and counts down.
type Budget struct {
	// Bytes may come out beyond those that went in: of compressed members of an
	// archive, or of an object that a binary plist shows in many places.
	Bytes int64
	// Values may be shown or passed by.
	Values int
}

// ErrBudget says that more comes out of bytes than the Budget allows. What was
// within the budget was shown.
var ErrBudget = errors.New("more comes out than the budget allows")

// usual is the budget where none is given.
var usual = Budget{Bytes: 96 << 20, Values: 4 << 20}

// value takes one value off the budget and reports whether there was one left.
func (b *Budget) value() bool {
	b.Values--
	return b.Values >= 0
}

// take takes n bytes off the budget and reports whether they were left.
func (b *Budget) take(n int) bool {
	b.Bytes -= int64(n)
	return b.Bytes >= 0
}
