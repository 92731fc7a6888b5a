//go:build race

package har

// raced says that the race detector is on: what it makes ten times as slow is done ten times less.
const raced = true
