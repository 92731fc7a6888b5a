package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// Bounds of tokens that stand in prose, in HTML or in a line of a log.
const (
	shortestToken = 20
	longestToken  = 8 << 10
	fewestGroups  = 7 // bytes that are written one by one; a hardware address has six
)

// tokens looks in a text for encodings that no run of letters and digits shows: bytes
// written one by one, LZString's, base 85, and base64 in reverse or with other letters.
// changed are the signs of escapes that were taken off already: only tokens that hold one
// are not the same there.
func (w *walk) tokens(p *Part, s overview, changed class, depth int) {
	if s.seen&(blank|sign) == 0 || len(p.Data) < shortestToken || turned(p) {
		return
	}
	if w.has(canHex) && changed == 0 {
		w.groups(p, depth)
	}
	if s.longest >= shortestToken {
		w.strings(p, changed, depth)
	}
	if s.seen&sign != 0 && w.has(canASCII85) {
		w.words(p, changed, depth)
	}
}

// unchanged reports whether a token stands where escapes were taken off as it stands here.
func unchanged(token []byte, changed class) bool {
	return changed != 0 && survey(token).seen&changed == 0
}

// groups opens bytes that are written one by one in a text.
func (w *walk) groups(p *Part, depth int) {
	for data, i := p.Data, 0; i+3*fewestGroups <= len(data); i++ {
		if classes[data[i]]&(digit|hexLower|hexUpper) == 0 || i > 0 && classes[data[i-1]]&(digit|hexLower|hexUpper|lower|upper) != 0 {
			continue
		}
		n := grouped(data[i:])
		if n == 0 || n == len(bytes.TrimSpace(data)) {
			continue
		}
		out, sure := coding.Hex(w.buffer(), data[i:i+n])
		if sure == coding.Strong && w.spend(p, depth) {
			if promising(out) || w.readable(out) {
				w.opened(p, inHex.name, out, depth, false)
			} else {
				c := w.inside(p, inHex.name, out)
				c.Type = Bytes
				w.show(c)
				w.drop(c)
			}
		}
		w.release(out)
		i += n
	}
}

// grouped is how many characters text begins with that are bytes written one by one, with
// the same between all of them; 0 for fewer than fewestGroups.
func grouped(text []byte) int {
	prefix := 0
	if text[0] == '0' && text[1]|0x20 == 'x' {
		prefix = 2
	}
	pair := func(i int) bool {
		return i+prefix+2 <= len(text) && (prefix == 0 || text[i] == '0' && text[i+1]|0x20 == 'x') &&
			(classes[text[i+prefix]]|classes[text[i+prefix+1]])&^(digit|hexLower|hexUpper) == 0
	}
	if !pair(0) {
		return 0
	}
	from := prefix + 2
	to := from
	for to < len(text) && to < from+2 && bytes.IndexByte([]byte(":;,_- "), text[to]) >= 0 {
		to++
	}
	between := text[from:to]
	if len(between) == 0 {
		return 0
	}
	n, end := 1, from
	for bytes.HasPrefix(text[end:], between) && pair(end+len(between)) {
		end += len(between) + from
		n++
	}
	if n < fewestGroups || end < len(text) && classes[text[end]]&(digit|hexLower|hexUpper|lower|upper) != 0 {
		return 0
	}
	return end
}

// strings opens what LZString wrote, and base64 in reverse or with other letters.
func (w *walk) strings(p *Part, changed class, depth int) {
	digitOf := func(c byte) bool { return classes[c]&(inRun|equals) != 0 || c == '$' }
	for data, i := p.Data, 0; i < len(data); i++ {
		start, seen := i, class(0)
		for i < len(data) && digitOf(data[i]) {
			seen |= classes[data[i]]
			i++
		}
		text := unnamed(data[start:i])
		if len(text) < shortestToken || len(text) > longestToken || len(text) == len(data) || unchanged(text, changed) || !coded(text, seen) || !w.try(p) {
			continue
		}
		c := w.part()
		*c = Part{ID: p.ID, Parent: p.ID, Type: Text, Key: p.Key, Chain: p.Chain, Data: text, JWT: p.JWT, Guess: p.Guess, root: p.root, at: p.at}
		if !w.lzstring(c, text, depth) {
			for j := range turns {
				t := &turns[j]
				if !w.has(t.can) {
					continue
				}
				out := t.take(w.buffer(), text)
				if run := bytes.TrimRight(out, "="); len(run) >= shortestToken && w.encoded(run, survey(run)) && w.spend(p, depth) {
					w.shown(c, t, out, true, depth)
				}
				w.release(out)
			}
		}
		w.drop(c)
	}
}

// words opens base 85 between blanks, in quotes, or between two tags.
func (w *walk) words(p *Part, changed class, depth int) {
	for word := range bytes.FieldsSeq(p.Data) {
		if len(word) < shortestToken || len(word) > longestToken || unchanged(word, changed) {
			continue
		}
		if w.eightyFive(p, tagged(word), depth) {
			continue
		}
		text := inQuotes(unnamed(word))
		if !w.eightyFive(p, text, depth) && bytes.IndexByte([]byte(".,;)"), text[len(text)-1]) >= 0 {
			w.eightyFive(p, text[:len(text)-1], depth)
		}
	}
}

// inQuotes is what stands between the quote that a text begins with and the next one that
// can end an attribute; the text itself where it has none.
func inQuotes(text []byte) []byte {
	quote := text[0]
	if quote != '"' && quote != '\'' {
		return text
	}
	for i := 1; i < len(text); i++ {
		if text[i] == quote && (i+1 == len(text) || bytes.IndexByte([]byte(">/,;)}]"), text[i+1]) >= 0) {
			return text[1:i]
		}
	}
	return text
}

// tagged is what stands between the tags of an element in a word without blanks; empty for nothing.
func tagged(word []byte) []byte {
	_, text, _ := bytes.Cut(word, []byte(">"))
	text, _, ok := bytes.Cut(text, []byte("</"))
	if !ok {
		return nil
	}
	for len(text) > 1 && text[0] == '<' && classes[text[1]]&(hexLower|lower) != 0 {
		_, inner, ok := bytes.Cut(text, []byte(">"))
		if !ok {
			break
		}
		text = inner
	}
	return text
}

// eightyFive opens a word in the form of base 85 in which it is readable.
func (w *walk) eightyFive(p *Part, word []byte, depth int) bool {
	if len(word) < shortestToken || len(word) == len(p.Data) {
		return false
	}
	s := survey(word)
	if s.seen&high != 0 || (s.signs+s.marks)*8 < len(word) || bytes.Contains(word, []byte("://")) || !w.try(p) {
		return false
	}
	if bytes.HasPrefix(word, []byte("<~")) {
		return w.guess(p, word, &inASCII85, depth)
	}
	for _, f := range in85s {
		if w.guess(p, word, f, depth) {
			return true
		}
	}
	return false
}

// longestLead is how long the name is that stands before a token with an equals sign or a
// colon.
const longestLead = 32

// unnamed takes the name off a token such as payload=TOKEN.
func unnamed(text []byte) []byte {
	for i, c := range text[:min(len(text), longestLead)] {
		if (c == '=' || c == ':') && i > 0 && len(text)-i > shortestToken {
			return text[i+1:]
		}
		if classes[c]&(digit|hexLower|hexUpper|lower|upper|dash) == 0 {
			break
		}
	}
	return text
}
