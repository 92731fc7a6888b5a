package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// flowMap is the picture of what went from the app to which company in which country. All
// lengths are in CSS pixels; the words are set by the page's style sheet.
type flowMap struct {
	Width, Height int
	Wide          bool
	App           box
	Nodes         []mapNode
	Countries     []box
	Paths         []ribbon
	Spine         int // of the narrow picture: how far its line goes down
	More          int // companies that are not drawn
}

type box struct {
	X, Y, W, H int
	Text       string
}

// mapNode is one company.
type mapNode struct {
	box
	Country  string
	Lines    []string // what it got
	Violates bool
}

type ribbon struct {
	D        string // SVG path data
	Width    int
	Violates bool
	End      bool // from a company to a country
}

// shape is how wide a picture is and how its words fit.
type shape struct {
	width, text int // pixels; characters a line
	isWide      bool
}

var (
	wide = shape{width: 880, text: 46, isWide: true}
	slim = shape{width: 300, text: 36}
)

const (
	mapMost = 14
	lineH   = 17
)

// newFlowMap lays the picture out; nil where nothing went to anybody.
func newFlowMap(app string, with []transfer, s shape) *flowMap {
	nodes := mapNodes(with, s)
	if len(nodes) == 0 {
		return nil
	}
	m := &flowMap{Width: s.width, Wide: s.isWide}
	if len(nodes) > mapMost {
		m.More = len(nodes) - mapMost
		nodes = nodes[:mapMost]
	}
	if s.isWide {
		m.wide(app, nodes)
	} else {
		m.slim(app, nodes)
	}
	return m
}

// mapNodes are the companies, with what each got.
func mapNodes(with []transfer, s shape) []mapNode {
	var nodes []mapNode
	var items [][]item // by company
	at := make(map[string]int)
	for _, t := range with {
		name := t.Owner
		if name == "" {
			name = t.Host
		}
		i, ok := at[name]
		if !ok {
			i = len(nodes)
			at[name] = i
			country := "country unknown"
			if t.Country != "" {
				country = explain.Country(t.Country)
			}
			nodes = append(nodes, mapNode{box: box{Text: inert.Middle(name, s.text-8)}, Country: country})
			items = append(items, nil)
		}
		nodes[i].Violates = nodes[i].Violates || t.Violates
		items[i] = append(items[i], t.Items...)
	}
	for i := range nodes {
		slices.SortStableFunc(items[i], func(a, b item) int { return a.gravity() - b.gravity() })
		var what []string
		for _, it := range items[i] {
			what = add(what, it.onMap())
		}
		nodes[i].Lines = fill(what, s.text, 4)
	}
	// Companies of one country stand together, so that lines don't cross.
	first := make(map[string]int)
	for i, n := range nodes {
		if _, ok := first[n.Country]; !ok {
			first[n.Country] = i
		}
	}
	slices.SortStableFunc(nodes, func(a, b mapNode) int { return first[a.Country] - first[b.Country] })
	return nodes
}

// onMap names an item in the picture.
func (it *item) onMap() string {
	what := it.What
	if it.Hashed {
		what += " (hash)"
	}
	if it.Issued {
		what = "issued: " + what
	}
	return what
}

// fill puts items into lines of at most width characters, and at most so many lines.
func fill(items []string, width, most int) []string {
	const more = 12 // characters of " and 99 more"
	var lines []string
	line := ""
	for i, it := range items {
		room := width
		if len(lines) == most-1 && i < len(items)-1 {
			room -= more
		}
		switch {
		case line == "":
			line = it
		case utf8.RuneCountInString(line)+2+utf8.RuneCountInString(it) <= room:
			line += ", " + it
		case len(lines) == most-1:
			return append(lines, line+fmt.Sprintf(" and %d more", len(items)-i))
		default:
			lines = append(lines, line+",")
			line = it
		}
	}
	return append(lines, line)
}

func (n *mapNode) height() int { return 32 + len(n.Lines)*lineH }

func (m *flowMap) wide(app string, nodes []mapNode) {
	const appW, nodeX, nodeW, countryX, gap = 132, 300, 350, 742, 16
	y := 6
	for i := range nodes {
		n := &nodes[i]
		n.X, n.Y, n.W, n.H = nodeX, y, nodeW, n.height()
		y += n.H + gap
	}
	m.Height = max(y-gap+6, 92)
	m.App = box{X: 0, Y: m.Height/2 - 36, W: appW, H: 72, Text: inert.Line(app, 16)}
	for i := range nodes {
		n := &nodes[i]
		from := m.App.Y + (i+1)*m.App.H/(len(nodes)+1)
		m.Paths = append(m.Paths, ribbon{
			D:     curve(appW, from, nodeX, n.Y+n.H/2),
			Width: 2 + min(len(n.Lines)*2, 8), Violates: n.Violates,
		})
	}
	for i := 0; i < len(nodes); {
		end := i
		for end < len(nodes) && nodes[end].Country == nodes[i].Country {
			end++
		}
		mid := (nodes[i].Y + nodes[end-1].Y + nodes[end-1].H) / 2
		m.Countries = append(m.Countries, box{X: countryX, Y: mid - 18, W: m.Width - countryX, H: 36, Text: inert.Line(nodes[i].Country, 18)})
		for _, n := range nodes[i:end] {
			m.Paths = append(m.Paths, ribbon{D: curve(nodeX+nodeW, n.Y+n.H/2, countryX, mid), Width: 2 + min(len(n.Lines)*2, 8), Violates: n.Violates, End: true})
		}
		i = end
	}
	m.Nodes = nodes
}

func (m *flowMap) slim(app string, nodes []mapNode) {
	const spine, nodeX, gap = 14, 36, 12
	m.App = box{X: 0, Y: 0, W: m.Width, H: 38, Text: inert.Line(app, 30)}
	y := m.App.H + 16
	for i := range nodes {
		n := &nodes[i]
		n.X, n.Y, n.W, n.H = nodeX, y, m.Width-nodeX, n.height()+lineH
		m.Spine = y + n.H/2
		m.Paths = append(m.Paths, ribbon{D: fmt.Sprintf("M%d %dH%d", spine, m.Spine, nodeX), Width: 2 + min(len(n.Lines)*2, 8), Violates: n.Violates})
		y += n.H + gap
	}
	m.Height = y - gap + 4
	m.Nodes = nodes
}

// curve is a path from one point to another that leaves and arrives level.
func curve(x0, y0, x1, y1 int) string {
	mid := (x0 + x1) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x0, y0, mid, y0, mid, y1, x1, y1)
}

// Alt says in words what the picture shows.
func (m *flowMap) Alt() string {
	var parts []string
	for _, n := range m.Nodes {
		parts = append(parts, fmt.Sprintf("%s (%s): %s", n.Text, n.Country, strings.Join(n.Lines, " ")))
	}
	return "From " + m.App.Text + " to " + strings.Join(parts, "; ")
}
