package recognise

import "math"

// embeddedBits estimates how hard a value is to hit by chance where it stands in a longer run
// of the same characters: its length times what each character could have been, less
// where it repeats itself. Words alone have none, since one word may hold another.
func embeddedBits(value []byte) float64 {
	for _, b := range value {
		if b >= '0' && b <= '9' {
			return information(value)
		}
	}
	return 0
}

// information estimates how many bits a value has where it stands alone.
func information(value []byte) float64 {
	var seen [256]bool
	distinct, digits := 0, false
	for _, b := range value {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
		digits = digits || b >= '0' && b <= '9'
	}
	size := 5.0
	switch classOf(value) {
	case decimal:
		size = math.Log2(10)
	case hexadecimal:
		size = 4
	case wordlike:
		if !digits {
			size = 4 // letters of words follow one from another
		}
	}
	return float64(len(value)) * math.Min(size, math.Log2(float64(max(distinct, 1)))+0.75)
}
