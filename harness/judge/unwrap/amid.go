package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// Bounds of what is looked for amid bytes of a protocol that is not known.
const (
	mostStreams  = 32 // compressed streams that are tried in one part
	mostPassages = 256
	longestAmid  = 4 << 20 // bytes that are looked through
)

// amid opens what stands in the middle of bytes that nothing explains, as the payload of a
// message does in a protocol that is not known: streams that begin with a sign, and
// passages of text. What is around it stays unexplained.
func (w *walk) amid(p *Part, depth int) {
	if p.Guess || w.closing || len(p.Data) < shortestToken {
		return
	}
	data := p.Data[:min(len(p.Data), longestAmid)]
	tried := 0
	for i := 1; i+shortestToken <= len(data) && tried < mostStreams; i++ {
		switch data[i] {
		case 0x1f, 0x28, 0x04, 0xff, 0x78:
		default:
			continue
		}
		name := coding.Magic(data[i:])
		switch name {
		case "gzip", "zstd", "lz4", "snappy":
		case "zlib":
			if !coding.Plausible("deflate", data[i+2:], 0) {
				continue
			}
		default:
			continue
		}
		if !w.has(abilities[name]) {
			continue
		}
		tried++
		// What follows the stream is no part of it, so an error at its end says nothing.
		out, _ := w.d.Open(name, w.buffer(), data[i:], w.room())
		if len(out) >= shortestHidden/2 && w.readable(out) && w.spend(p, depth) {
			w.opened(p, name, out, depth, false)
		}
		w.release(out)
	}
	shown := 0
	for i := 0; i < len(data) && shown < mostPassages; i++ {
		from := i
		for i < len(data) && classes[data[i]]&(control|high) == 0 {
			i++
		}
		if text := bytes.TrimSpace(data[from:i]); len(text) >= shortestRun && len(text) < len(p.Data) {
			shown++
			w.value(p, text, Text, p.Key, p.at, true, depth+1)
		}
	}
}
