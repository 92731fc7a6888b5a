package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/inert"
)

// linkMap is the picture of who can join records: a row for each company, a line for each value, and a dot
// where the company holds it. Lengths are in CSS pixels.
type linkMap struct {
	ID            string // of the elements that name it
	Width, Height int
	Wide          bool
	Rows          []linkRow
	Lines         []linkLine
	More          int    // values that are not drawn
	Desc          string // what it shows, in words
}

type linkRow struct {
	Y, Width, Height int
	Name             string
	Shaded           bool
}

type linkLine struct {
	Number  int
	Label   string // in the wide picture
	X       int
	Top     int // where its number stands
	From    int
	To      int
	Dots    []int // centres
	Issued  bool
	Rotated string // transform of the label
}

// linkShape is how much room a picture has.
type linkShape struct {
	id                              string
	width, names, letters, row, top int
	right, values                   int // room for the last label; how many values are drawn
	wide                            bool
}

var (
	wideLinks = linkShape{id: "links-wide", width: 880, names: 250, letters: 30, row: 30, right: 120, values: 14, wide: true}
	slimLinks = linkShape{id: "links-slim", width: 300, names: 138, letters: 17, row: 28, top: 30, right: 8, values: 7}
)

// How many companies a picture has, and characters a label.
const (
	mostRows  = 24
	mostLabel = 22
)

// newLinkMap lays the picture out; nil where no value joins two companies.
func newLinkMap(d dossier, s linkShape) *linkMap {
	m := &linkMap{ID: s.id, Width: s.width, Wide: s.wide}
	if s.wide {
		longest := 0
		for _, l := range d.Links {
			longest = max(longest, utf8.RuneCountInString(inert.Line(l.What, mostLabel)))
		}
		s.top = 36 + 5*longest // the labels stand aslant above the rows
	}
	row := make(map[string]int)
	for _, c := range d.Companies {
		linked := slices.ContainsFunc(d.Links, func(l dossierLink) bool { return slices.Contains(l.Companies, c.Name) })
		if linked && len(row) < mostRows {
			row[c.Name] = len(row)
			m.Rows = append(m.Rows, linkRow{
				Y: s.top + len(m.Rows)*s.row, Width: s.width, Height: s.row, Name: inert.Middle(c.Name, s.letters), Shaded: len(m.Rows)%2 == 0,
			})
		}
	}
	var said []string
	var links []linkLine
	for _, l := range d.Links {
		line := linkLine{Number: l.Number, Label: inert.Line(l.What, mostLabel), Top: s.top - 10, Issued: l.Issued}
		for _, name := range l.Companies {
			if i, ok := row[name]; ok {
				line.Dots = append(line.Dots, s.top+i*s.row+s.row/2)
			}
		}
		if len(line.Dots) < 2 || len(links) == s.values {
			m.More++
			continue
		}
		line.From, line.To = slices.Min(line.Dots), slices.Max(line.Dots)
		links = append(links, line)
		said = append(said, fmt.Sprintf("%d, %s, joins %s", l.Number, l.What, join(names(l.Companies), "and")))
	}
	if len(links) == 0 {
		return nil
	}
	m.More += d.LeftLinks
	space := min((s.width-s.names-s.right)/len(links), 56)
	for i := range links {
		links[i].X = s.names + i*space + space/2
		links[i].Rotated = fmt.Sprintf("rotate(-40 %d %d)", links[i].X, s.top-26)
	}
	m.Lines, m.Height = links, s.top+len(m.Rows)*s.row+4
	m.Desc = strings.Join(said, "; ") + "."
	return m
}

func names(companies []string) []string {
	var out []string
	for i, c := range companies {
		if i == 24 {
			return append(out, fmt.Sprintf("%d more", len(companies)-i))
		}
		out = append(out, inert.Middle(c, 60))
	}
	return out
}
