package account

import (
	"math"
	"strings"
	"time"
)

// What makes a value unguessable (64 bits, or 12 digits), and the fewest
// characters that hold 64 bits: eleven of base64.
const (
	enoughBits     = 64.0
	enoughDigits   = 12
	shortestMinted = 11
)

// unguessable reports whether nobody could have guessed a value: it is long enough
// and random enough. A word, a time, a URL or a version is none, however long.
func unguessable(v string) bool {
	if len(v) < shortestMinted || len(v) > longestValue || strings.ContainsAny(v, " \t\r\n<>{}") || strings.Contains(v, "://") {
		return false
	}
	if allDigits(v) {
		return len(v) >= enoughDigits && !clock(v)
	}
	compact := strings.NewReplacer("-", "", "_", "").Replace(v)
	if isHex(compact) {
		return float64(len(compact))*4 >= enoughBits && variety(compact) >= 5
	}
	sum := 0.0
	for _, piece := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune("-_.:|/=+~,;@", r) }) {
		sum += randomBits(piece)
	}
	return sum >= enoughBits
}

// randomBits estimates the bits of one run of letters and digits; a word has none.
func randomBits(s string) float64 {
	var lower, upper, digit, changes int
	last := -1
	for i := range len(s) {
		kind := 0
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
			kind = 1
		case c >= '0' && c <= '9':
			digit++
			kind = 2
		default:
			return 0
		}
		if last >= 0 && kind != last {
			changes++
		}
		last = kind
	}
	n := float64(len(s))
	switch {
	case digit == len(s):
		return n * math.Log2(10)
	case changes < 2 || float64(changes) < n/8:
		return 0 // a word, perhaps capitalised or numbered
	case isHex(s):
		return n * 4
	case lower > 0 && upper > 0:
		return n * 5.7
	}
	return n * 5
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// variety counts distinct characters.
func variety(s string) int {
	var seen [256]bool
	n := 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			n++
		}
	}
	return n
}

// clock reports whether digits are a time: milliseconds or microseconds since 1970,
// or a date and a time written together.
func clock(v string) bool {
	switch len(v) {
	case 13, 16:
		return v >= "1000000000000" && v < "3000000000000"
	case 12, 14, 17:
		_, err := time.Parse("20060102", v[:8])
		return err == nil && (strings.HasPrefix(v, "19") || strings.HasPrefix(v, "20"))
	}
	return false
}
