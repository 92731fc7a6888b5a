package observe

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/unasked-audit/unasked/harness/flow"
)

// pseudo is HTTP/2's pseudo-header fields (RFC 9113 section 8.3, RFC 8441).
type pseudo struct{ method, scheme, authority, path, protocol, status string }

// emit takes a field from the decoder.
func (f *frameReader) emit(h hpack.HeaderField) {
	classOf, weight := look(h.Value)
	_, named := look(h.Name)
	f.weight += weight + named + 32 + 5*(controls(h.Value)+controls(h.Name))
	if h.IsPseudo() {
		f.weight += 2 * strings.Count(h.Value, " ") // in a URL they are %20
	}
	if f.weight > maxWeight || len(f.fields) > maxFields {
		f.decoder.SetEmitEnabled(false)
		return
	}
	if h.IsPseudo() {
		if to := f.pseudo.field(h.Name); to != nil && *to == "" {
			*to = h.Value
			return
		}
	}
	if classOf&foreign != 0 {
		h.Value = readable(h.Value)
	}
	f.fields = append(f.fields, flow.Header{Name: readable(h.Name), Value: h.Value})
}

// controls counts the bytes for which JSON has only \u0000.
func controls(s string) (n int) {
	for i := range len(s) {
		if s[i] < ' ' {
			n++
		}
	}
	return n
}

func (p *pseudo) field(name string) *string {
	switch name {
	case ":method":
		return &p.method
	case ":scheme":
		return &p.scheme
	case ":authority":
		return &p.authority
	case ":path":
		return &p.path
	case ":protocol":
		return &p.protocol
	case ":status":
		return &p.status
	}
	return nil
}

// decode reads a header block, that is whole, into fields, pseudo and weight.
func (f *frameReader) decode(block []byte) error {
	f.fields, f.pseudo, f.weight = nil, pseudo{}, 0
	f.decoder.SetEmitEnabled(true)
	_, err := f.decoder.Write(block)
	if err == nil {
		err = f.decoder.Close()
	}
	switch {
	case err != nil:
		return notUnderstood("a header block can't be decoded: " + err.Error())
	case !f.decoder.EmitEnabled():
		return notUnderstood("a header block is too long")
	}
	return nil
}

// allow raises how large the table may become.
func (f *frameReader) allow(size uint32) {
	// Smaller ones are in force once they were acknowledged, and an encoder then says
	// so by itself (RFC 7541 section 4.2).
	f.table = max(f.table, min(size, maxTable))
	f.decoder.SetAllowedMaxDynamicTableSize(f.table)
}
