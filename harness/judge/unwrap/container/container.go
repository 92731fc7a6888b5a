// Package container takes structured formats apart, value by value, each with the
// path that leads to it.
//
// Every reader works on hostile bytes: it bounds its depth, allocates no more than
// a small multiple of what it was given, and never panics. What breaks off is read
// up to the break. A reader tells early whether bytes are its format at all, so that
// it can be asked about any bytes.
package container

// Type is what a value is.
type Type int

// The types.
const (
	Bytes  Type = iota // a whole that may hold others: a body, a decoded blob
	Text               // a string in JSON, a field of a form, a header
	Number             // a number, written in decimal digits as JSON does
	Bool               // true or false
)

// Leaf takes a value: where it stands, the name of the nearest field around it (""
// for none), and its bytes, which are valid during the call only.
type Leaf func(at *Step, name string, t Type, value []byte)
