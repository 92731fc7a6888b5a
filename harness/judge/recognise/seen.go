package recognise

import "github.com/unasked-audit/unasked/harness/judge/unwrap"

// seen says which parts around the one at hand were searched, and where in them the bytes
// of a needle stand, so that a piece is not searched again when they stand elsewhere.
type seen struct {
	around []ancestor // each within the one before it
	spots  []spot
}

// ancestor is a part that was searched. Its bytes are valid as long as pieces of it come.
type ancestor struct {
	part int
	data []byte
}

// spot is a place in a part.
type spot struct{ part, from, to int }

// mostSpots is how many spots of a message are kept. Where there are more, pieces are
// searched again.
const mostSpots = 64

// note keeps that a part was searched; the spots from the n-th on are its own.
func (s *seen) note(p *unwrap.Part, n int) {
	if len(s.spots) > mostSpots {
		s.spots = s.spots[:n]
		return
	}
	if i := s.find(p.Parent); i >= 0 {
		s.around = s.around[:i+1]
	} else if p.Parent < 0 {
		s.around = s.around[:0]
	}
	s.around = append(s.around, ancestor{p.ID, p.Data})
}

// find is where a part stands in around, or -1.
func (s *seen) find(part int) int {
	for i := len(s.around) - 1; i >= 0; i-- {
		if s.around[i].part == part {
			return i
		}
	}
	return -1
}

// piece reports whether a part is a piece of its parent that was searched there, with
// nothing that reaches into it.
func (s *seen) piece(p *unwrap.Part) bool {
	if !p.Alias || len(p.Data) == 0 {
		return false
	}
	i := s.find(p.Parent)
	if i < 0 {
		return false
	}
	data := s.around[i].data
	from := cap(data) - cap(p.Data)
	to := from + len(p.Data)
	if from < 0 || to > len(data) || &data[from] != &p.Data[0] {
		return false
	}
	for _, x := range s.spots {
		if x.part == p.Parent && x.from < to && x.to > from {
			return false
		}
	}
	return true
}

// shortDigest reports whether a short text may be a digest of 64 bits in base64, which is
// recognised only where it stands alone: 11 characters, with digits or both cases.
func shortDigest(data []byte) bool {
	run, all, digits := 0, uint8(0), false
	for _, b := range data {
		c := characters[b]
		if c&inBase64 == 0 {
			if run >= shortestSixes {
				break
			}
			run, all, digits = 0, 0, false
			continue
		}
		run, all, digits = run+1, all|c, digits || b >= '0' && b <= '9'
	}
	return run >= shortestSixes && (digits || all&(inCapitals|inSmall) == inCapitals|inSmall)
}
