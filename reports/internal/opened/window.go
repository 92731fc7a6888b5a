package opened

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// window is the lines around a place. Each is cut around the mark, so that neither one long
// line nor a long body makes the page long.
func window(v view) (form string, lines []Line, above, below int) {
	if len(v.text) == 0 {
		return "", nil, 0, 0
	}
	if v.form == "bytes" && v.at.start < 0 {
		lines, below = dump(v.text)
		return "bytes", lines, 0, below
	}
	starts := lineStarts(v.text)
	first, last := 0, min(len(starts), 2*linesAround)
	if v.at.start >= 0 {
		from, to := lineOf(starts, v.at.start), lineOf(starts, max(v.at.start, v.at.end-1))
		to = min(to, from+2*linesAround) // a place of many lines is cut
		first, last = max(0, from-linesAround), min(len(starts), to+linesAround+1)
	}
	for i := first; i < last; i++ {
		end := len(v.text)
		if i+1 < len(starts) {
			end = starts[i+1] - 1
		}
		if end > starts[i] && v.text[end-1] == '\r' {
			end--
		}
		lines = append(lines, Line{Number: i + 1, Segments: cut(v.text, span{starts[i], end}, v.at)})
	}
	return v.form, lines, first, len(starts) - last
}

// cut is one line as segments, at most about lineWidth characters around the mark.
func cut(text []byte, line, mark span) []Segment {
	m := span{max(line.start, mark.start), min(line.end, mark.end)}
	if mark.start < 0 || m.start >= m.end {
		return []Segment{{Text: around(text[line.start:line.end], lineWidth, false)}}
	}
	var out []Segment
	if before := text[line.start:m.start]; len(before) > 0 {
		out = append(out, Segment{Text: around(before, lineWidth/3, true)})
	}
	out = append(out, Segment{Text: around(text[m.start:m.end], 2*lineWidth, false), Mark: true})
	if after := text[m.end:line.end]; len(after) > 0 {
		out = append(out, Segment{Text: around(after, lineWidth/2, false)})
	}
	return out
}

// around is the start of a text, or its end, at most max bytes of it, inert.
func around(b []byte, max int, end bool) string {
	if len(b) > 3 && !isText(b) {
		return fmt.Sprintf("⟨%s that are no text⟩", explain.Count(int64(len(b)), "byte", "bytes"))
	}
	if len(b) <= max {
		return inert.Text(string(b), 0)
	}
	left := len(b) - max
	note := fmt.Sprintf("⟨%s⟩", explain.Count(int64(left), "byte left out", "bytes left out"))
	if end {
		for left < len(b) && !utf8.RuneStart(b[left]) {
			left++
		}
		return note + "…" + inert.Text(string(b[left:]), 0)
	}
	for max > 0 && !utf8.RuneStart(b[max]) {
		max--
	}
	return inert.Text(string(b[:max]), 0) + "…" + note
}

func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, c := range text {
		if c == '\n' && i+1 < len(text) {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// lineOf is the index of the line that an offset lies in.
func lineOf(starts []int, offset int) int {
	lo, hi := 0, len(starts)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; starts[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// dump shows the start of bytes that are no text, sixteen to a line; below is how many bytes it leaves out.
func dump(b []byte) (lines []Line, below int) {
	const rows, width = 8, 16
	for i := 0; i < len(b) && i < rows*width; i += width {
		row := b[i:min(len(b), i+width)]
		var shown strings.Builder
		for _, c := range row {
			if c < ' ' || c > '~' {
				c = '.'
			}
			shown.WriteByte(c)
		}
		lines = append(lines, Line{Number: i, Segments: []Segment{{Text: fmt.Sprintf("%-47s  %s", fmt.Sprintf("% x", row), shown.String())}}})
	}
	return lines, max(0, len(b)-rows*width)
}

// isText reports whether bytes are text for the most part.
func isText(b []byte) bool {
	b = b[:min(len(b), 4096)]
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	odd, all := 0, 0
	for i := 0; i < len(b); all++ {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && i+utf8.UTFMax < len(b) || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
		i += n
	}
	return odd*10 <= all
}

// markLine marks the place in one line of text: an URL or a header's value.
func (o opener) markLine(m *Message, raw string, max int) []Segment {
	at := o.find([]byte(raw))
	if at.start < 0 {
		return []Segment{{Text: inert.Line(raw, max)}}
	}
	m.Marked = true
	var out []Segment
	if at.start > 0 {
		out = append(out, Segment{Text: inert.Middle(raw[:at.start], max)})
	}
	out = append(out, Segment{Text: inert.Line(raw[at.start:at.end], max), Mark: true})
	if at.end < len(raw) {
		out = append(out, Segment{Text: inert.Line(raw[at.end:], max)})
	}
	return out
}
