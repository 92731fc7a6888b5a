package recognise

import "github.com/unasked-audit/unasked/harness/judge/unwrap"

// Bounds of a value that is a number in groups, or a place, in reverse or under a key.
const (
	shortestNumber = shortestGrouped + 1
	longestNumber  = 40
)

// turnedNumbers looks for a number in groups or a place that was written in reverse or under
// a key of one byte, and is all that there is. Its characters are of one row of ASCII,
// and are of one row under any key, which few other values are.
func (c *Collector) turnedNumbers(p *unwrap.Part) {
	data := p.Data
	if len(data) < shortestNumber || len(data) > longestNumber {
		return
	}
	for _, b := range data[1:] {
		if (b^data[0])&0xe0 != 0 {
			return
		}
	}
	var room [longestNumber]byte
	plain := room[:len(data)]
	if data[0]&0xe0 == 0x20 {
		for i, b := range data {
			plain[len(data)-1-i] = b
		}
		c.wholeNumber(p, plain, "reversed", nil)
	}
	for low := range byte(0x20) {
		key := data[0]&0xe0 ^ 0x20 | low
		if key == 0 {
			continue
		}
		for i, b := range data {
			plain[i] = b ^ key
		}
		c.wholeNumber(p, plain, "xor", []byte{key})
	}
}

// wholeNumber keeps what plain is, if it is a number in groups or a place and nothing else.
func (c *Collector) wholeNumber(p *unwrap.Part, plain []byte, link string, key []byte) {
	numbers, dots, commas := 0, 0, 0
	for _, b := range plain {
		switch {
		case b >= '0' && b <= '9':
			numbers++
		case b == '.':
			dots++
		case b == ',' || b == ';':
			commas++
		case inGroups[b] != 2:
			return
		}
	}
	if numbers < shortestGrouped {
		return
	}
	if dots == 2 && commas == 1 {
		c.n.halves(plain, func(m Match) {
			m.Chain = append([]string{link}, m.Chain...)
			c.keep(&c.halves, p, p.Chain, key, m)
		})
		return
	}
	c.n.grouped.scan(plain, func(from, to int, x groupedNumber) {
		for i, b := range plain {
			if (i < from || i >= to) && b >= '0' && b <= '9' {
				return
			}
		}
		m := c.n.match(&needle{spelling: x.spelling, how: x.how, chain: []string{link}, bits: float32(information(c.n.spellings[x.spelling].text))}, from, to, false)
		c.keep(&c.hits, p, p.Chain, key, m)
	})
}
