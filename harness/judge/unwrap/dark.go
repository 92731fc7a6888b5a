package unwrap

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// Bounds of what is tried on bytes that nothing explains.
const (
	shortestDark   = 6
	darkest        = 2       // bare streams within each other
	longestKeyed   = 4 << 20 // bytes that are tried with keys
	longestXOR     = 4096    // bytes of a structure that is looked for under a key
	expansion      = 64      // of a bare stream: what gives more is chance, or a bomb that has a name
	shortestSecret = 4       // bytes of a key that is sent along
	longestSecret  = 64
	shortestSure   = 32 // bytes of which one key in 255 makes a text by chance only
	mostKeys       = 64
	mostSums       = 8 // values as long as a digest: a message with more of them is full of ids
	mostPending    = 32
)

// dark tries compressions without a sign, XOR with each key of one byte, and both, on
// bytes that are no text and nothing known. It reports whether something readable
// came out. Nothing is opened whose first bytes rule it out.
func (w *walk) dark(p *Part, depth, level int) bool {
	data := p.Data
	if len(data) < shortestDark || level > darkest || !w.try(p) {
		return false
	}
	print, known := w.o.fruitless.known(data)
	pending := len(w.pending)
	if !known && w.bare(p, data, depth, level) || len(data) <= longestHidden && w.lzstring(p, data, depth) {
		return true
	}
	w.await(p, depth)
	if known {
		return false
	}
	if w.has(canXOR) && !w.closing && !turned(p) && len(data) <= longestKeyed && !uniform(data) && (w.xorSigns(p, data, depth) || w.xorText(p, data, overview{seen: high}, depth) || w.xorBytes(p, data, depth)) {
		return true
	}
	// What came out and waits for a key would not be there the next time.
	if level == 0 && !w.closing && len(w.pending) <= pending+1 {
		w.o.fruitless.note(print)
	}
	return false
}

// uniform reports whether bytes begin with one byte over and over, of which a key makes any other.
func uniform(data []byte) bool {
	for _, c := range data[:min(len(data), prefix)] {
		if c != data[0] {
			return false
		}
	}
	return true
}

// bare opens streams that begin with no sign.
func (w *walk) bare(p *Part, data []byte, depth, level int) bool {
	for _, name := range coding.Bare {
		link, _, _ := strings.Cut(name, "-")
		if !w.has(abilities[link]) || !coding.Plausible(name, data, 0) || depth >= w.o.limits.Depth {
			continue
		}
		out, err := w.d.OpenAll(name, w.buffer(), data, min(w.room(), expansion*len(data)+1024))
		found := false
		if err == nil && len(out) >= shortestOpened && !bytes.Equal(out, data) {
			if w.readable(out) {
				found = w.spend(p, depth) && w.opened(p, link, out, depth, false)
			} else if len(out) >= shortestDark && level < darkest && w.spend(p, depth) {
				c := w.guessed(p, []string{link}, out)
				c.Type = Bytes
				w.show(c)
				w.numbers(c, depth+1)
				found = w.dark(c, depth+1, level+1)
				w.drop(c)
			}
		}
		w.release(out)
		if found {
			return true
		}
	}
	return false
}

// keyed opens data under a key that makes something of it that chance does not.
func (w *walk) keyed(p *Part, data []byte, key byte, depth int) bool {
	out := coding.XOR(w.buffer(), data, key)
	opened := w.spend(p, depth) && w.opened(p, "xor", out, depth, false)
	w.release(out)
	return opened
}

// xorText opens data under the keys that make the likeliest texts of it, or under the
// one that makes an encoding of something readable. Of what is text already, a key must
// make a likelier one, and explains nothing.
func (w *walk) xorText(p *Part, data []byte, s overview, depth int) (found bool) {
	text := s.seen&(control|high) == 0
	if !w.has(canXOR) || text && (s.seen&blank != 0 || len(data) < shortestRun) {
		return false
	}
	head := data[:min(len(data), 96)]
	var room [255]candidate
	list := room[:0]
	plain := w.buffer()
	defer w.release(plain)
	for key := 1; key < 256; key++ {
		score, ok := legible(head, byte(key))
		if !ok {
			continue
		}
		list = append(list, candidate{byte(key), score})
		if score < 3*len(head) {
			continue
		}
		short := coding.XOR(plain[:0], data[:min(len(data), prefix)], byte(key))
		if w.encoded(short, survey(short)) {
			return w.keyed(p, data, byte(key), depth)
		}
	}
	key := w.escapedUnder(data)
	if key == 0 {
		key = groupedUnder(data)
	}
	if key != 0 {
		return w.keyed(p, data, key, depth)
	}
	least := 0
	if text {
		own, ok := legible(head, 0)
		if !ok || s.signs == 0 || len(data) > 512 {
			return false
		}
		least = own + 2
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
	most := 16
	switch {
	case len(data) > 1024:
		most = 2
	case len(data) > 64:
		most = 6
	}
	for _, c := range list[:min(len(list), most)] {
		if c.score < least {
			break
		}
		out := coding.XOR(w.buffer(), data, c.key)
		if coding.Text(out) && w.spend(p, depth) {
			found = w.opened(p, "xor", out, depth, true) || found
		}
		w.release(out)
	}
	// Of few bytes many keys make a text: that explains nothing.
	return found && !text && len(data) >= shortestSure && list[0].score >= 3*len(head)
}

// escapedUnder is the key under which data is escapes, and readable without them, or is
// JSON, XML or a multipart body; 0 for none.
func (w *walk) escapedUnder(data []byte) byte {
	for _, c := range [...]byte{'%', '&', '\\', '=', '{', '[', '<', '-'} {
		key := data[0] ^ c
		if key == 0 || len(data) < 2*shortestDark {
			continue
		}
		last := data[len(data)-1] ^ key
		if c == '{' && last != '}' || c == '[' && last != ']' || c == '<' && last != '>' || !regular(data, c, key) {
			continue
		}
		out := coding.XOR(w.buffer(), data[:min(len(data), 1024)], key)
		told := (c == '-' || coding.ASCII(out)) && w.signed(out, survey(out))
		w.release(out)
		if told {
			return key
		}
	}
	return 0
}

// groupedUnder is the key under which data is bytes written one by one, such as 61:62:63; 0
// for none. What separates them stands in every third place.
func groupedUnder(data []byte) byte {
	if len(data) < shortestSpelled || len(data)%3 != 2 {
		return 0
	}
	for i := 5; i < len(data); i += 3 {
		if data[i] != data[2] {
			return 0
		}
	}
	for _, between := range [...]byte{':', ' ', '-', ',', ';'} {
		key := data[2] ^ between
		ok := key != 0
		for i, b := range data {
			ok = ok && (i%3 == 2 || classes[b^key]&(digit|hexLower|hexUpper) != 0)
		}
		if ok {
			return key
		}
	}
	return 0
}

// regular reports whether data under a key is escapes of a sign, each whole and of up to
// six characters. Of the signs that structures begin with less is asked.
func regular(data []byte, sign, key byte) bool {
	switch sign {
	case '{':
		return data[1]^key == '"'
	case '[':
		if bytes.IndexByte([]byte(`{["`), data[1]^key) >= 0 {
			return true
		}
		for _, b := range data { // a list of bytes
			if c := b ^ key; classes[c]&(digit|blank) == 0 && bytes.IndexByte([]byte("[],-"), c) < 0 {
				return false
			}
		}
		return true
	case '<':
		return data[1]^key == '?' || classes[data[1]^key]&(hexLower|lower|hexUpper|upper) != 0
	case '-':
		return data[1]^key == '-'
	}
	n, ok := wholeEscapes(data, sign, key)
	return ok && n*7 >= len(data)
}

// wholeEscapes counts a sign in data under a key; ok is false if it stands somewhere without
// an escape behind it.
func wholeEscapes(data []byte, sign, key byte) (n int, ok bool) {
	hex := func(i int) bool {
		return i < len(data) && classes[data[i]^key]&(digit|hexLower|hexUpper) != 0
	}
	for i, b := range data {
		if b^key != sign {
			continue
		}
		n++
		next := byte(0)
		if i+1 < len(data) {
			next = data[i+1] ^ key
		}
		switch sign {
		case '%':
			ok = hex(i+1) && hex(i+2)
		case '=':
			ok = hex(i+1) && hex(i+2) || next == '\r' || next == '\n'
		case '&':
			ok = next == '#'
		default:
			ok = next == 'x' || next == 'u'
		}
		if !ok {
			return n, false
		}
	}
	return n, n > 0
}

// candidate is a key with the likelihood of the text that it makes.
type candidate struct {
	key   byte
	score int
}

// weights say how likely a character is in a value.
var weights = func() (t [256]int8) {
	for i := range t {
		switch c := classes[i]; {
		case c&(digit|hexLower|hexUpper|lower|upper) != 0:
			t[i] = 4
		case c&(blank|dash|plus|equals) != 0 || i == '.' || i == '@' || i == ':' || i == ',' || i == '"':
			t[i] = 2
		case c == high:
			t[i] = 1
		case c == control:
			t[i] = -100
		}
	}
	return t
}()

// legible reports whether data is text under a key, and how likely a one.
func legible(data []byte, key byte) (score int, ok bool) {
	more := 0 // bytes that a character still has
	for _, c := range data {
		c ^= key
		switch {
		case c < 0x80:
			if more > 0 || weights[c] < 0 {
				return 0, false
			}
		case c < 0xc0:
			if more--; more < 0 {
				return 0, false
			}
		case more > 0 || c < 0xc2 || c > 0xf4:
			return 0, false
		case c < 0xe0:
			more = 1
		case c < 0xf0:
			more = 2
		default:
			more = 3
		}
		score += int(weights[c])
	}
	return score, true
}

// beginnings are the first bytes of what begins with a sign.
var beginnings = []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "\xff\x06\x00\x00sNaP", "PK\x03\x04", "bplist0", "\x78\x01", "\x78\x5e", "\x78\x9c", "\x78\xda"}

// xorSigns opens data under the key that makes it begin with a sign, or be UTF-16.
func (w *walk) xorSigns(p *Part, data []byte, depth int) bool {
	for _, b := range beginnings {
		key := data[0] ^ b[0]
		if key == 0 || len(data) < 8 {
			continue
		}
		same := true
		for i := range len(b) {
			same = same && data[i]^key == b[i]
		}
		if same {
			out := coding.XOR(w.buffer(), data, key)
			ok := promising(out) || w.readable(out)
			w.release(out)
			if ok {
				return w.keyed(p, data, key, depth)
			}
		}
	}
	// The zeros of UTF-16 are the key.
	for _, key := range [...]byte{data[1], data[0], data[0] ^ 0xff, data[0] ^ 0xfe} {
		if key == 0 || data[3]^key != 0 && data[2]^key != 0 {
			continue
		}
		out := coding.XOR(w.buffer(), data, key)
		wide, _, sure := coding.UTF16(w.buffer(), out)
		ok := sure != coding.No && coding.Text(wide)
		w.release(wide)
		w.release(out)
		if ok {
			return w.keyed(p, data, key, depth)
		}
	}
	return false
}

// xorBytes opens data under the keys that make a stream without a sign of it, or a
// structure. Among so many keys some make one by chance: that explains nothing.
func (w *walk) xorBytes(p *Part, data []byte, depth int) bool {
	if digestSized(len(data)) && len(p.Chain) > 0 { // out of digits
		if w.sums++; w.sums > mostSums {
			return false
		}
	}
	for key := 1; key < 256; key++ {
		for _, name := range coding.Bare {
			if !coding.Plausible(name, data, byte(key)) {
				continue
			}
			plain := coding.XOR(w.buffer(), data, byte(key))
			out, err := w.d.OpenAll(name, w.buffer(), plain, min(w.room(), expansion*len(data)+1024))
			ok := err == nil && len(out) >= shortestHidden/2 && w.readable(out)
			w.release(out)
			w.release(plain)
			if ok && w.keyed(p, data, byte(key), depth) {
				return true
			}
		}
	}
	if w.has(canLZString) && len(data) <= longestSpoken {
		// What LZString writes into text ends with a space.
		plain := coding.XOR(w.buffer(), data, data[len(data)-1]^' ')
		if utf8.Valid(plain) && w.inLZ(plain) && w.spend(p, depth) {
			w.opened(p, "xor", plain, depth, true)
		}
		w.release(plain)
		for key := 1; key < 256; key++ {
			if !beginsLZ(data, byte(key)) {
				continue
			}
			plain := coding.XOR(w.buffer(), data, byte(key))
			out, sure := coding.LZString(w.buffer(), plain, 1<<16)
			ok := sure != coding.No && len(out) >= shortestHidden/2 && w.readable(out)
			w.release(out)
			if ok && w.spend(p, depth) {
				w.opened(p, "xor", plain, depth, true)
			}
			w.release(plain)
		}
	}
	if len(data) > longestXOR || len(w.o.binary) == 0 {
		return false
	}
	for key := 1; key < 256; key++ {
		plain := coding.XOR(w.buffer(), data, byte(key))
		ok := false
		for i := range w.o.binary {
			if ok = w.o.binary[i].Looks(plain) == container.Certain; ok {
				break
			}
		}
		ok = ok || container.NumbersOnly(plain)
		if ok && w.spend(p, depth) {
			w.opened(p, "xor", plain, depth, true)
		}
		w.release(plain)
	}
	return false
}

// digestSized reports whether a usual digest has n bytes.
func digestSized(n int) bool {
	switch n {
	case 16, 20, 24, 28, 32, 48, 64:
		return true
	}
	return false
}

// longestSpoken is how many bytes are tried as LZString's under each key.
const longestSpoken = 512

// beginsLZ reports whether bytes under a key begin with a printable character, as
// LZString writes them into bytes.
func beginsLZ(data []byte, key byte) bool {
	v := int(data[0]^key)<<8 | int(data[1]^key)
	c := 0
	for i := range 8 { // behind a code of two bits, the lowest first
		c |= v >> (13 - i) & 1 << i
	}
	return v>>14 == 0 && c >= ' ' && c < 0x7f
}

// fruitless remembers bytes in which nothing was found, so that a session's token
// is tried once and not with each request. It changes no result.
type fruitless struct {
	prints [1 << 12]atomic.Uint64
}

var seed = maphash.MakeSeed()

func (f *fruitless) known(data []byte) (print uint64, known bool) {
	print = maphash.Bytes(seed, data)
	return print, f.prints[print%uint64(len(f.prints))].Load() == print
}

func (f *fruitless) note(print uint64) { f.prints[print%uint64(len(f.prints))].Store(print) }

// keys are the values of a message that may be keys of others.
type keys struct {
	n    int
	list [mostKeys][longestSecret]byte
	size [mostKeys]int
}

// note keeps a value that may be a key: a guess, a word, a number, an address or a sentence is none.
func (k *keys) note(p *Part) {
	n := len(p.Data)
	if p.Guess || k.n == mostKeys || n < shortestSecret || n > longestSecret || p.Type == Number || p.Type == Bool || p.root == flow.SurfaceHost || p.root == flow.SurfaceURL && p.at == nil {
		return
	}
	var seen class
	for _, c := range p.Data {
		seen |= classes[c]
	}
	letters := seen & (hexLower | hexUpper | lower | upper)
	if seen&(blank|mark) != 0 || seen&(digit|control|high|sign) == 0 && !coded(p.Data, seen) && changes(p.Data) < fewestChanges || letters == 0 && seen&(control|high) == 0 {
		return
	}
	copy(k.list[k.n][:], p.Data)
	k.size[k.n] = n
	k.n++
}

// fewestChanges is how often the letters of a key change case that has nothing else.
const fewestChanges = 4

// changes counts where letters change case.
func changes(text []byte) (n int) {
	for i := 1; i < len(text); i++ {
		if (text[i]^text[i-1])&0x20 != 0 {
			n++
		}
	}
	return n
}

// sealed is a value that a key of the message may open.
type sealed struct {
	part  Part
	depth int
}

// await keeps bytes until all of the message was seen.
func (w *walk) await(p *Part, depth int) {
	if w.closing || turned(p) || !w.has(canXOR) || len(w.pending) >= mostPending || len(p.Data) > longestHidden || depth >= w.o.limits.Depth {
		return
	}
	if slices.ContainsFunc(w.pending, func(s *sealed) bool { return bytes.Equal(s.part.Data, p.Data) }) {
		return
	}
	s := &sealed{part: *p, depth: depth}
	s.part.Data, s.part.at = bytes.Clone(p.Data), p.at.Keep()
	w.pending = append(w.pending, s)
}

// withKeys opens a value with the keys that came with it.
func (w *walk) withKeys(s *sealed) {
	p := &s.part
	few := w.keys.n <= fewKeys && len(p.Data) <= longestXOR
	var room [prefix]byte
	var digits [longestSecret / 2]byte
	for i := range 2 * w.keys.n {
		// Each as it is, then as the bytes that it writes.
		key := w.keys.list[i/2][:w.keys.size[i/2]]
		if bytes.Equal(key, p.Data) { // the value itself
			continue
		}
		if i%2 == 1 {
			if key = written(digits[:0], key); len(key) == 0 {
				continue
			}
		}
		head := room[:min(len(room), len(p.Data))]
		for j, k := 0, 0; j < len(head); j++ {
			head[j] = p.Data[j] ^ key[k]
			if k++; k == len(key) {
				k = 0
			}
		}
		readable, stream := begins(head, len(p.Data))
		if (readable || stream || few) && w.underKey(p, key, readable || few, s.depth) {
			return
		}
	}
}

// shortestWritten is how many bytes a key has that is sent in digits.
const shortestWritten = 2

// written is what a key in hexadecimal digits or in base64 stands for; empty for none.
func written(dst, key []byte) []byte {
	for _, f := range [...]*form{&inHex, &inBase64} {
		if out, sure := f.decode(dst, key); sure != coding.No && len(out) >= shortestWritten {
			return out
		}
	}
	return dst
}

// begins reports whether a head is that of something readable, or may be that of a
// stream without a sign, of size bytes.
func begins(head []byte, size int) (readable, stream bool) {
	if _, text := legible(head[:min(len(head), 16)], 0); text || coding.Magic(head) != "" {
		return true, false
	}
	if head[0] == 0 && head[2] == 0 || head[1] == 0 && head[3] == 0 {
		return true, false
	}
	for _, name := range coding.Bare {
		if coding.PlausibleHead(name, head, size, 0) {
			return false, true
		}
	}
	return false, false
}

// longestShown is how many bytes are shown as they are under a key that may be theirs.
const longestShown = 64

// fewKeys are so few values in a message that all are tried in earnest.
const fewKeys = 8

// underKey opens a value with a key of several bytes: as what is readable, or as a stream.
func (w *walk) underKey(p *Part, key []byte, readable bool, depth int) (found bool) {
	out := w.buffer()
	for j, c := range p.Data {
		out = append(out, c^key[j%len(key)])
	}
	defer func() { w.release(out) }()
	if readable && w.readable(out) {
		return w.spend(p, depth) && w.opened(p, "xor", out, depth, false)
	}
	c := w.guessed(p, []string{"xor"}, out)
	if readable && len(out) <= longestHidden {
		w.lzstring(c, out, depth+1) // a wrong key may make a few characters of any bytes: that explains nothing
	}
	if len(out) <= longestShown && w.spend(p, depth) {
		w.show(c)
		w.numbers(c, depth+1)
	}
	found = w.bare(c, out, depth+1, 1)
	w.drop(c)
	return found
}
