package container

import (
	"testing"
)

// fuzz asks a reader about any bytes: it never panics, keeps to the budget, and shows
// no more than came in or may come out.
func fuzz(f *testing.F, formats ...Format) {
	for _, data := range vectors(f) {
		f.Add(data)
	}
	for _, data := range plainThings(f) {
		f.Add(data[:min(len(data), 600)])
	}
	f.Add(laughs(60))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			const most, values = 1 << 16, 5000
			b := Budget{Bytes: most, Values: values}
			n, bytes, deepest := 0, 0, 0
			format.Looks(data)
			err := format.Read(data, nil, &b, func(at *Step, name string, kind Type, value []byte) {
				n++
				if kind == Bytes {
					bytes += len(value)
				}
				depth := 0
				for ; at != nil; at = at.up {
					depth++
				}
				deepest = max(deepest, depth)
			})
			if n > values {
				t.Errorf("%s: %d values", format.Name, n)
			}
			if bytes > most+64*len(data) {
				t.Errorf("%s: %d bytes out of %d", format.Name, bytes, len(data))
			}
			if deepest > 3*256+3 {
				t.Errorf("%s: %d steps", format.Name, deepest)
			}
			switch err {
			case nil, ErrOther, ErrBudget, ErrDeep:
			default:
				t.Errorf("%s: %v", format.Name, err)
			}
		}
	})
}

func FuzzJSON(f *testing.F)     { fuzz(f, json) }
func FuzzProtobuf(f *testing.F) { fuzz(f, protobuf) }
func FuzzGRPC(f *testing.F) {
	fuzz(f, grpc, Format{
		Name:  "grpc-web-text",
		Looks: func([]byte) Likeness { return Certain },
		Read: func(data []byte, at *Step, b *Budget, leaf Leaf) error {
			if out, ok := GRPCWebText(data); ok {
				leaf(at, "", Bytes, out)
			}
			return nil
		},
	})
}
func FuzzMsgpack(f *testing.F) { fuzz(f, msgpack) }
func FuzzCBOR(f *testing.F)    { fuzz(f, cbor) }
func FuzzPlist(f *testing.F)   { fuzz(f, bplist, plist) }
func FuzzXML(f *testing.F)     { fuzz(f, xmlFormat) }
func FuzzSSE(f *testing.F)     { fuzz(f, sse) }
func FuzzForm(f *testing.F)    { fuzz(f, form) }
func FuzzArchives(f *testing.F) {
	fuzz(f, zipFormat, tarFormat)
}
