package recognise

import "strings"

// grouped finds numbers that people write in groups: a phone number as an address book
// has it, an IMEI with dashes. Digits are looked up in groups of whole digits, whatever
// separates them, in every way in which the number may begin.
type grouped struct {
	numbers map[string]groupedNumber // by digits
	longest int
}

type groupedNumber struct {
	spelling int32
	how      string
}

// Bounds of a number in groups.
const (
	shortestGrouped = 9 // digits
	mostGroups      = 8
	mostBetween     = 4 // bytes between two groups
)

// inGroups are the characters of such a number: 1 for a digit, 2 for what separates,
// which may be a blank or a dash of Unicode's.
var inGroups = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = 1
	}
	for _, c := range []byte(" -./()+\u00a0\u2010\u2011\u2013\u202f") {
		t[c] = 2
	}
	return t
}()

// enter adds the number that a spelling writes, if it is one of a phone or in decimal.
func (g *grouped) enter(i int32, value, shape string) {
	d := digits(value)
	if len(d) < shortestGrouped || strings.Trim(value, "0123456789 +-()./") != "" {
		return
	}
	if g.numbers == nil {
		g.numbers = map[string]groupedNumber{}
	}
	add := func(d string) {
		if _, ok := g.numbers[d]; !ok {
			g.numbers[d] = groupedNumber{i, "in groups of digits"}
			g.longest = max(g.longest, len(d))
		}
	}
	add(d)
	if shape == "phone" && strings.HasPrefix(value, "+") {
		add("00" + d)
		add("011" + d)
	}
}

// enterTrunk adds a phone number with the zero that is dialled at home in brackets
// behind the country's code.
func (g *grouped) enterTrunk(i int32, international, national string) {
	if code, ok := strings.CutSuffix(international, strings.TrimPrefix(national, "0")); ok && strings.HasPrefix(national, "0") {
		g.numbers[code+national] = groupedNumber{i, "in groups of digits"}
		g.longest = max(g.longest, len(code+national))
	}
}

// scan calls found with every number that stands in groups. A place in eight is looked
// at, for all of a number's characters are its own.
func (g *grouped) scan(data []byte, found func(from, to int, n groupedNumber)) {
	if len(g.numbers) == 0 {
		return
	}
	for at := 7; at < len(data)+7; at += 8 {
		i := min(at, len(data)-1)
		if inGroups[data[i]] == 0 {
			continue
		}
		from, to := i, i+1
		for from > 0 && inGroups[data[from-1]] != 0 {
			from--
		}
		for to < len(data) && inGroups[data[to]] != 0 {
			to++
		}
		if to-from > shortestGrouped {
			g.run(data, from, to, found)
		}
		at = max(at, to-1)
	}
}

// run looks for numbers in a run of digits and separators.
func (g *grouped) run(data []byte, from, to int, found func(from, to int, n groupedNumber)) {
	var room [64]byte
	for start := from; start < to; {
		if inGroups[data[start]] != 1 {
			start++
			continue
		}
		end := start
		for end < to && inGroups[data[end]] == 1 {
			end++
		}
		first := end
		if start > 0 && letterOrDigit(data[start-1]) {
			start = first
			continue
		}
		number := append(room[:0], data[start:end]...)
		for n := 1; n < mostGroups && len(number) <= g.longest && len(number) < len(room); n++ {
			next := end
			for next < to && inGroups[data[next]] == 2 {
				next++
			}
			if next == to || next-end > mostBetween {
				break
			}
			end = next
			for end < to && inGroups[data[end]] == 1 {
				end++
			}
			if end-next > g.longest {
				break
			}
			number = append(number, data[next:end]...)
			if end == len(data) || !letterOrDigit(data[end]) {
				if x, ok := g.numbers[string(number)]; ok {
					found(start, end, x)
				}
			}
		}
		start = first
	}
}
