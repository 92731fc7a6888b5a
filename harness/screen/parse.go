package screen

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The limits of a tree. A real screen has some hundred nodes, twenty deep.
const (
	MaxSize  = 16 << 20 // bytes of XML
	MaxDepth = 200      // nodes within nodes
	MaxNodes = 50_000
)

// ErrTooLarge says that a tree is beyond the limits of this package.
var ErrTooLarge = errors.New("the screen's description is too large to be a real one")

// ErrNoScreen says that there is no description of a screen in what was read.
var ErrNoScreen = errors.New("no description of a screen")

// Parse reads uiautomator's XML, in UTF-8 or UTF-16. The root stands for the whole
// screen; the windows are its children, the topmost last where the dump (of
// `uiautomator dump --windows`) says how they lie. Lines before and after the XML, which
// uiautomator prints to a terminal, are passed over. The error wraps [ErrTooLarge] or
// [ErrNoScreen] where that is why.
func Parse(r io.Reader) (*Node, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the screen's description: %w", err)
	}
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("%w: more than %d MiB", ErrTooLarge, MaxSize>>20)
	}
	raw = utf8Of(raw)
	from := start(raw)
	if from < 0 {
		return nil, noScreen(raw)
	}
	d := xml.NewDecoder(bytes.NewReader(mend(raw[from:])))
	var stack []*Node
	nodes := 0
	for {
		tok, err := d.Token()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("%w: at byte %d: %w", ErrNoScreen, int64(from)+d.InputOffset(), err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			nodes++
			if len(stack) >= MaxDepth || nodes > MaxNodes {
				return nil, fmt.Errorf("%w: more than %d nodes, or deeper than %d", ErrTooLarge, MaxNodes, MaxDepth)
			}
			n := element(t)
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.Children = append(parent.Children, n)
			}
			stack = append(stack, n)
		case xml.EndElement:
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if structural(t.Name.Local) {
				slices.SortStableFunc(n.Children, func(a, b *Node) int { return cmp.Compare(a.Layer, b.Layer) })
				n.Bounds = cover(n.Children)
			}
			if len(stack) == 0 {
				return n, nil
			}
		}
	}
}

// start is where the description begins, or -1.
func start(raw []byte) int {
	from := bytes.Index(raw, []byte("<hierarchy"))
	if all := bytes.Index(raw, []byte("<displays")); all >= 0 && all < from {
		return all
	}
	return from
}

// structural reports whether an element stands for no view: the whole, a display, a window.
func structural(name string) bool {
	return name == "hierarchy" || name == "displays" || name == "display" || name == "window"
}

// noScreen says what stands there instead of a description.
func noScreen(raw []byte) error {
	text := strings.TrimSpace(string(raw[:min(len(raw), 4096)]))
	switch {
	case text == "":
		return fmt.Errorf("%w: there is nothing in it", ErrNoScreen)
	case strings.Contains(text, "null root node") || strings.Contains(text, "could not get idle state"):
		line, _, _ := strings.Cut(text, "\n")
		return fmt.Errorf("%w: uiautomator failed (%.100q); make the dump again once the screen is at rest", ErrNoScreen, line)
	case !strings.Contains(text, "<"):
		return fmt.Errorf("%w: it is no XML and begins with %.60q", ErrNoScreen, text)
	}
	return fmt.Errorf("%w: it has no <hierarchy> and begins with %.60q", ErrNoScreen, text)
}

// utf8Of makes UTF-8 of UTF-16, which a byte order mark or the zeros in "<?" tell.
func utf8Of(raw []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{'<', 0}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}), bytes.HasPrefix(raw, []byte{0, '<'}):
		order = binary.BigEndian
	default:
		return raw
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

func element(t xml.StartElement) *Node {
	n := &Node{}
	if structural(t.Name.Local) {
		n.Class = t.Name.Local
		n.Enabled = true
		for _, a := range t.Attr {
			if a.Name.Local == "layer" {
				n.Layer, _ = strconv.Atoi(a.Value)
			}
		}
		return n
	}
	for _, a := range t.Attr {
		is := a.Value == "true"
		switch a.Name.Local {
		case "text":
			n.Text = a.Value
		case "content-desc":
			n.Desc = a.Value
		case "resource-id":
			n.ID = a.Value
		case "class":
			n.Class = a.Value
		case "package":
			n.Package = a.Value
		case "hint":
			n.Hint = a.Value
		case "bounds":
			n.Bounds, _ = parseBounds(a.Value)
		case "clickable":
			n.Clickable = is
		case "checkable":
			n.Checkable = is
		case "checked":
			n.Checked = is
		case "enabled":
			n.Enabled = is
		case "scrollable":
			n.Scrollable = is
		case "password":
			n.Password = is
		case "visible-to-user", "displayed":
			n.Hidden = a.Value == "false"
		}
	}
	return n
}

// parseBounds reads "[left,top][right,bottom]". Numbers far outside any screen are refused.
func parseBounds(s string) (Rect, bool) {
	s, ok := strings.CutPrefix(s, "[")
	s, tail := strings.CutSuffix(s, "]")
	fields := strings.FieldsFunc(strings.Replace(s, "][", ",", 1), func(r rune) bool { return r == ',' })
	if !ok || !tail || len(fields) != 4 {
		return Rect{}, false
	}
	var v [4]int
	for i, f := range fields {
		n, err := strconv.ParseInt(f, 10, 32)
		if err != nil || n > 1<<20 || n < -1<<20 {
			return Rect{}, false
		}
		v[i] = int(n)
	}
	return Rect{v[0], v[1], v[2], v[3]}, true
}

func cover(nodes []*Node) Rect {
	var all Rect
	for _, n := range nodes {
		switch {
		case n.Bounds.Empty():
		case all.Empty():
			all = n.Bounds
		default:
			all = Rect{min(all.Left, n.Bounds.Left), min(all.Top, n.Bounds.Top), max(all.Right, n.Bounds.Right), max(all.Bottom, n.Bounds.Bottom)}
		}
	}
	return all
}

// mend makes well-formed XML of what devices write: characters outside the
// Basic Multilingual Plane come as two references to surrogates, which XML
// forbids, and control characters and broken UTF-8 come as they are.
func mend(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		if raw[0] == '&' {
			if r, n := reference(raw); n > 0 {
				raw = raw[n:]
				if utf16.IsSurrogate(r) {
					low, m := reference(raw)
					pair := utf16.DecodeRune(r, low)
					if m > 0 && pair != utf8.RuneError {
						raw = raw[m:]
					}
					r = pair
				}
				if !allowed(r) {
					r = utf8.RuneError
				}
				out = append(out, "&#"+strconv.Itoa(int(r))+";"...)
				continue
			}
		}
		r, n := utf8.DecodeRune(raw)
		if !allowed(r) {
			r = utf8.RuneError
		}
		out = utf8.AppendRune(out, r)
		raw = raw[n:]
	}
	return out
}

// reference reads a numeric character reference at the start of b; n is 0 where there is none.
func reference(b []byte) (r rune, n int) {
	if !bytes.HasPrefix(b, []byte("&#")) {
		return 0, 0
	}
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 3 {
		return 0, 0
	}
	digits, radix := string(b[2:end]), 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, radix = digits[1:], 16
	}
	v, err := strconv.ParseUint(digits, radix, 32)
	if err != nil || v > utf8.MaxRune {
		return utf8.RuneError, end + 1
	}
	return rune(v), end + 1
}

// allowed reports whether XML 1.0 (section 2.2) lets a character stand.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}
