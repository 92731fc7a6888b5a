package knowledge

import (
	"fmt"
	"slices"
)

// Feature is the shape of what is computed from a face, a hand or a voice.
type Feature struct {
	ID     string   `yaml:"id"`
	What   string   `yaml:"what"`   // "68 landmarks of a face"
	Counts []int    `yaml:"counts"` // how many points, or how many numbers for a vector
	Sizes  []int    `yaml:"sizes"`  // numbers a point: 2 or 3; 1 for a vector
	Names  []string `yaml:"names"`  // names of fields that tell it, as in Fields
	// NeedsName says that the shape alone says nothing.
	NeedsName bool `yaml:"needs_name"`
	Source    `yaml:",inline"`
}

type featureFile struct {
	Features []Feature `yaml:"features"`
}

func (b *Base) checkFeatures() error {
	for i, f := range b.Features {
		if f.ID == "" || f.What == "" || len(f.Counts) == 0 || len(f.Sizes) == 0 {
			return fmt.Errorf("feature %d (%s): id, what, counts and sizes must be given", i+1, f.ID)
		}
		if slices.ContainsFunc(b.Features[:i], func(o Feature) bool { return o.ID == f.ID }) {
			return fmt.Errorf("feature %q stands twice", f.ID)
		}
		if err := f.Source.check(); err != nil {
			return fmt.Errorf("feature %s: %w", f.ID, err)
		}
		fold(f.Names)
	}
	return nil
}
