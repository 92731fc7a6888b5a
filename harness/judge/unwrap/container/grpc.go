package container

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// grpc reads the frames of gRPC (PROTOCOL-HTTP2.md), gRPC-Web (PROTOCOL-WEB.md) and
// of Connect's streams (connectrpc.com/docs/protocol): a byte of flags, four of
// length, a message. A single message stands at the place of the whole, one of
// several at $[0] and so on. Messages are shown as Bytes, and those that are
// compressed as they are; trailers, and the JSON that ends a stream of Connect, as Text.
var grpc = Format{
	Name: "grpc", Binary: true, Inner: "protobuf",
	Media: []string{
		"application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc-web", "application/grpc-web+proto",
		"application/connect+proto", "application/connect+json",
	},
	Looks: looksGRPC,
	Read:  readGRPC,
}

// The flags of a frame.
const (
	frameCompressed = 0x01
	frameEndStream  = 0x02 // Connect
	frameTrailers   = 0x80 // gRPC-Web
)

// frameHead is how long the head of a frame is.
const frameHead = 5

// nextFrame is the frame that data begins with. Of one that breaks off, message is what
// there is, and whole is false. ok is false if no frame begins so.
func nextFrame(data []byte) (flags byte, message []byte, whole, ok bool) {
	if len(data) < frameHead || data[0]&^(frameCompressed|frameEndStream|frameTrailers) != 0 {
		return 0, nil, false, false
	}
	size := binary.BigEndian.Uint32(data[1:])
	rest := data[frameHead:]
	if uint64(size) > uint64(len(rest)) {
		return data[0], rest, false, true
	}
	return data[0], rest[:size], true, true
}

func looksGRPC(data []byte) Likeness {
	certain := false
	for rest := data; len(rest) > 0; {
		flags, message, whole, ok := nextFrame(rest)
		switch {
		case !ok && len(rest) == len(data):
			return Unlike
		case !ok || !whole:
			return Possible
		}
		if !certain && len(message) > 0 {
			switch {
			case flags&(frameTrailers|frameEndStream) != 0:
				certain = len(message) > 4 && legible(message)
			case flags&frameCompressed != 0:
				certain = bytes.HasPrefix(message, []byte("\x1f\x8b\x08")) || len(message) >= 16
			default:
				certain = wholeMessage(message) || looksJSON(message) == Certain
			}
			if !certain {
				return Possible
			}
		}
		rest = rest[frameHead+len(message):]
	}
	if certain {
		return Certain
	}
	return Possible
}

func readGRPC(data []byte, at *Step, b *Budget, leaf Leaf) error {
	w := begin(b, leaf)
	defer w.end()
	several := false
	if _, message, whole, ok := nextFrame(data); ok && whole {
		flags, _, _, ok := nextFrame(data[frameHead+len(message):])
		several = ok && flags&(frameTrailers|frameEndStream) == 0
	}
	for n := 0; len(data) > 0; n++ {
		flags, message, whole, ok := nextFrame(data)
		if !ok {
			return ErrOther
		}
		where, t := at, Bytes
		switch {
		case flags&frameCompressed == 0 && flags&(frameTrailers|frameEndStream) != 0:
			where, t = w.field(at, 0, "trailers"), Text
		case several || n > 0:
			where = w.item(at, 0, n)
		}
		if len(message) > 0 {
			if err := w.show(where, "", t, message); err != nil {
				return err
			}
		}
		if !whole {
			return ErrOther
		}
		data = data[frameHead+len(message):]
	}
	return nil
}

// GRPCWebText takes the base64 off a body of the media type application/grpc-web-text:
// one or more runs of it, each with its own padding. What stands before a break is
// returned; ok is false if there is nothing.
func GRPCWebText(data []byte) (frames []byte, ok bool) {
	data = bytes.TrimSpace(data)
	for len(data) > 0 {
		run := data
		if i := bytes.IndexByte(data, '='); i >= 0 {
			for i < len(data) && data[i] == '=' {
				i++
			}
			run = data[:i]
		}
		data = data[len(run):]
		run = bytes.TrimRight(run, "=")
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
		n, err := base64.RawStdEncoding.Decode(out, run)
		frames = append(frames, out[:n]...)
		if err != nil {
			break
		}
	}
	return frames, len(frames) > 0
}
