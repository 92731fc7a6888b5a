package container

// Bounds of a list of numbers that may be bytes.
const (
	fewestOctets = 8
	mostOctets   = 64 << 10
)

// octets reads the list of numbers that data begins with, behind its bracket, as bytes:
// each from 0 to 255, or from -128 to 127 as Java has them. ok is false if it holds
// anything else, or too few or too many to be a value that was written so.
func octets(data []byte) (bytes []byte, ok bool) {
	for i := 0; ; {
		for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
			i++
		}
		negative := i < len(data) && data[i] == '-'
		if negative {
			i++
		}
		n, from := 0, i
		for i < len(data) && i-from < 4 && data[i] >= '0' && data[i] <= '9' {
			n = n*10 + int(data[i]-'0')
			i++
		}
		if i == from || n > 255 || negative && n > 128 || len(bytes) == mostOctets {
			return nil, false
		}
		if negative {
			n = 256 - n
		}
		bytes = append(bytes, byte(n)) //nolint:gosec // checked above, or -0
		for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
			i++
		}
		switch {
		case i < len(data) && data[i] == ',':
			i++
		case i < len(data) && data[i] == ']':
			return bytes, len(bytes) >= fewestOctets
		default:
			return nil, false
		}
	}
}
