package container

import (
	"slices"
	"strings"
)

// Likeness is how much bytes look like a format.
type Likeness int

// The degrees of likeness.
const (
	Unlike   Likeness = iota // the bytes are not of the format
	Possible                 // they may be if something announces it: a media type, the format around them
	Certain                  // they begin with its signature, or they parse in a way that chance doesn't explain
)

// Format is a structured format.
type Format struct {
	Name string
	// Binary says that the format is bytes and not text.
	Binary bool
	// Chained says that the format is a step of a chain of decodings, and not only
	// structure that the path tells.
	Chained bool
	// Media are the media types that announce the format; "+json" stands for all
	// types that end so.
	Media []string
	// Inner names the format that values of type Bytes are announced to be, if they
	// are not compressed or after they were decompressed; "" for none.
	Inner string
	// Looks tells without showing anything how much bytes look like the format. It
	// is cheap: linear in the length of the bytes at worst.
	Looks func(data []byte) Likeness
	// Read shows the values. The error is ErrOther, ErrBudget or ErrDeep, or nil if
	// all was read. A nil budget stands for a usual one.
	Read func(data []byte, at *Step, b *Budget, leaf Leaf) error
}

// formats in the order in which they are tried: those with a signature, the strict
// ones, and those last that much can be taken for.
var formats = []Format{bplist, zipFormat, tarFormat, grpc, plist, xmlFormat, json, sse, form, msgpack, cbor, protobuf}

// Formats lists the formats in the order in which bytes that nothing announces are
// to be tried: a format is to be read if its Looks says Certain. If Read then
// returns ErrOther, the bytes may be something else as well.
func Formats() []Format { return slices.Clone(formats) }

// ByMedia finds the format that a media type announces; parameters are passed over. It is to
// be read unless its Looks says Unlike: senders announce one thing and send another.
func ByMedia(mediaType string) (Format, bool) {
	media, _, _ := strings.Cut(mediaType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	suffix := ""
	if i := strings.LastIndexByte(media, '+'); i >= 0 {
		suffix = media[i:]
	}
	found := Format{}
	for _, f := range formats {
		for _, m := range f.Media {
			if m == media {
				return f, true
			}
			if found.Name == "" && suffix != "" && m == suffix {
				found = f
			}
		}
	}
	return found, found.Name != ""
}
