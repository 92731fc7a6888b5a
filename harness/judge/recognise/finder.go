package recognise

import "bytes"

// ShortestFound is the fewest bytes that a Finder can look for.
const ShortestFound = shortest

// Finder looks for many byte strings at once, as they are.
type Finder struct {
	texts  [][]byte
	filter filter
}

// NewFinder prepares a search for texts of at least ShortestFound bytes each.
func NewFinder(texts [][]byte) (*Finder, error) {
	f := &Finder{texts: texts}
	needles := make([]needle, len(texts))
	for i, t := range texts {
		needles[i].bytes = t
	}
	return f, f.filter.build(needles)
}

// Find calls found with the index of every text at every place where it stands.
func (f *Finder) Find(data []byte, found func(i int)) {
	f.filter.each(data, func(at int, list []int32) {
		for _, i := range list {
			if bytes.HasPrefix(data[at:], f.texts[i]) {
				found(int(i))
			}
		}
	})
}
