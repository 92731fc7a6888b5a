package groundtruth

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Matrix counts what was found for each label.
type Matrix struct {
	count map[[2]Label]int
	wrong []Result
	// again counts the accounts of which the judge rightly says whether they come back.
	again map[bool]int
}

// Add takes a play in.
func (m *Matrix) Add(r Result) {
	if m.count == nil {
		m.count, m.again = map[[2]Label]int{}, map[bool]int{}
	}
	m.count[[2]Label{r.Service.Label, r.Found}]++
	if r.Service.Label == Account && r.Hangs == r.Service.Hangs && (r.Hangs != "" || r.Service.Compare) {
		m.again[r.Hangs != ""]++
	}
	if r.Found != r.Service.Label || r.Hangs != r.Service.Hangs {
		m.wrong = append(m.wrong, r)
		slices.SortFunc(m.wrong, func(a, b Result) int { return strings.Compare(a.Service.Name, b.Service.Name) })
	}
}

// Count is how many services with a label were found to be something.
func (m *Matrix) Count(label, found Label) int { return m.count[[2]Label{label, found}] }

// Wrong are the plays whose label was not found, by name.
func (m *Matrix) Wrong() []Result { return slices.Clone(m.wrong) }

// Grave are those of them that say that an account was created, or comes back, where
// that is not so, or miss one that was or does.
func (m *Matrix) Grave() []Result {
	return slices.DeleteFunc(m.Wrong(), func(r Result) bool {
		return r.Service.Label != Account && r.Found != Account && r.Hangs == ""
	})
}

func hung(kind string) string {
	if kind == "" {
		return ""
	}
	return " that hangs on the " + strings.ReplaceAll(kind, "_", " ")
}

// Write prints the matrix: a row for each label, a column for what was found.
func (m *Matrix) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "is \\ found\t")
	for _, l := range Labels {
		fmt.Fprintf(t, "%s\t", l)
	}
	fmt.Fprintln(t)
	for _, label := range Labels {
		fmt.Fprintf(t, "%s\t", label)
		for _, l := range Labels {
			fmt.Fprintf(t, "%d\t", m.Count(label, l))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%d accounts come back, and were found to by the identifier that they hang on; %d do not, and were not found to\n", m.again[true], m.again[false]); err != nil {
		return err
	}
	for _, r := range m.wrong {
		if _, err := fmt.Fprintf(w, "%s is %s%s and was found to be %s%s: %s\n", r.Service.Name, r.Service.Label, hung(r.Service.Hangs), r.Found, hung(r.Hangs), r.Service.About); err != nil {
			return err
		}
	}
	return nil
}
