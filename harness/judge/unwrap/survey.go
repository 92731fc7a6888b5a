package unwrap

// class is what a byte of a text may belong to.
type class uint16

const (
	digit     class = 1 << iota // 0–9
	hexLower                    // a–f
	hexUpper                    // A–F
	lower                       // g–z
	upper                       // G–Z
	plus                        // + and /
	dash                        // - and _
	equals                      // =
	percent                     // %
	ampersand                   // &
	backslash                   // \
	blank                       // space, tab, CR, LF
	mark                        // other printable ASCII that stands in prose, addresses and dates
	sign                        // other printable ASCII
	control                     // no text
	high                        // 0x80 and above
)

// inRun are the characters of the runs that may be an encoding.
const inRun = digit | hexLower | hexUpper | lower | upper | plus | dash

var classes = func() (t [256]class) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = digit
		case c >= 'a' && c <= 'f':
			t[i] = hexLower
		case c >= 'A' && c <= 'F':
			t[i] = hexUpper
		case c >= 'g' && c <= 'z':
			t[i] = lower
		case c >= 'G' && c <= 'Z':
			t[i] = upper
		case c == '+' || c == '/':
			t[i] = plus
		case c == '-' || c == '_':
			t[i] = dash
		case c == '=':
			t[i] = equals
		case c == '%':
			t[i] = percent
		case c == '&':
			t[i] = ampersand
		case c == '\\':
			t[i] = backslash
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			t[i] = blank
		case c < ' ' || c == 0x7f:
			t[i] = control
		case c >= 0x80:
			t[i] = high
		case c == '.' || c == ':' || c == ',' || c == '@' || c == '(' || c == ')' || c == '\'' || c == '"' || c == '?' || c == '!':
			t[i] = mark
		default:
			t[i] = sign
		}
	}
	return t
}()

// overview is what one pass over bytes tells of them.
type overview struct {
	seen    class // of all bytes together
	longest int   // run of characters that may be an encoding
	marks   int   // bytes that prose, addresses and dates have some of
	signs   int   // bytes that these have few of
}

// survey reads bytes once.
func survey(data []byte) (s overview) {
	var seen class
	start, longest, marks, signs := 0, 0, 0, 0
	for i, b := range data {
		c := classes[b]
		seen |= c
		if c&inRun != 0 {
			continue
		}
		if i-start > longest {
			longest = i - start
		}
		start = i + 1
		switch c {
		case blank:
		case mark:
			marks++
		default:
			signs++
		}
	}
	return overview{seen: seen, longest: max(longest, len(data)-start), marks: marks, signs: signs}
}
