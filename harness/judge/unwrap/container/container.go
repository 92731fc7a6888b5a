// Package container takes structured formats apart, value by value, each with the
// path that leads to it.
//
// Formats lists the formats in the order in which bytes that nothing announces are
// tried; ByMedia finds the one that a media type announces.
//
// Every reader works on hostile bytes: it bounds its depth, allocates no more than
// a small multiple of what it was given and of what the Budget allows, and never
// panics. What breaks off is read up to the break. A reader tells early whether
// bytes are its format at all, so that it can be asked about any bytes.
package container

import "errors"

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
// for none), and its bytes. The step and the bytes are valid during the call only:
// see Step.Keep. A name of a member that could hold data is a value too; it is
// shown as Text at the path of the object that it stands in.
type Leaf func(at *Step, name string, t Type, value []byte)

// ErrOther says that bytes are not, or not to their end, of the format asked for.
// What stands before the break was shown.
var ErrOther = errors.New("the bytes are of another format, or break off")

// ErrDeep says that more stands within each other than a reader follows.
var ErrDeep = errors.New("lists and objects stand too deep within each other")

// deepest is how many lists and objects may stand within each other.
const deepest = 256
