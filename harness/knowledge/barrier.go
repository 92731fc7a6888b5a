package knowledge

import (
	"fmt"
	"strings"
)

// Barrier is what a website puts before a visitor that it takes for a machine.
type Barrier struct {
	Name      string   `yaml:"name" json:"name"`
	Selectors []string `yaml:"selectors" json:"selectors"` // CSS; the element counts where it can be seen
	Texts     []string `yaml:"texts" json:"texts"`         // in lower case, anywhere in what the page shows
	Source    `yaml:",inline"`
}

type barrierFile struct {
	Barriers []Barrier `yaml:"barriers"`
}

func (b *Base) checkBarriers() error {
	for i, e := range b.Barriers {
		if e.Name == "" || len(e.Selectors)+len(e.Texts) == 0 {
			return fmt.Errorf("barrier %d (%s): name and selectors or texts must be given", i+1, e.Name)
		}
		for _, s := range e.Texts {
			if s != strings.ToLower(s) || strings.TrimSpace(s) == "" {
				return fmt.Errorf("barrier %s: text %q must be lower-case", e.Name, s)
			}
		}
		if err := e.Source.check(); err != nil {
			return fmt.Errorf("barrier %s: %w", e.Name, err)
		}
	}
	return nil
}
