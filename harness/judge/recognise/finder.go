package recognise

// ShortestFound is the fewest bytes that a Finder can look for.
const ShortestFound = shortest

// Finder looks for many byte strings at once, as they are.
type Finder struct{ filter filter }

// NewFinder prepares a search for texts of at least ShortestFound bytes each.
func NewFinder(texts [][]byte) (*Finder, error) {
	f := &Finder{}
	return f, f.filter.build(len(texts), func(i int) []byte { return texts[i] })
}

// Find calls found with the index of every text at every place where it stands.
func (f *Finder) Find(data []byte, found func(i int)) {
	f.filter.each(data, func(_, i int) { found(i) })
}
