package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/internal/inert"
)

// wayMap is the picture of a [way]: columns of boxes joined by curves where there is room, else one column
// in which numbers say which value stands where. Lengths are in CSS pixels.
type wayMap struct {
	ID            string
	Width, Height int
	Wide          bool
	Title, Desc   string
	Heads         []wayHead
	Boxes         []wayBox
	Lines         []wayLine
}

type wayHead struct {
	X, Y int
	Text string
}

type wayBox struct {
	box     // its text is what stands there first
	Lines   []string
	Badges  []wayBadge
	Kind    string // asked, minted, stored or used
	carries []int
}

type wayBadge struct {
	X, Y   int
	Number int
}

type wayLine struct {
	D     string
	Value int // number
}

// The sizes of the picture's parts.
const (
	wayWide  = 880
	waySlim  = 300
	wayBoxW  = 250
	wayHeadH = 26
	wayGap   = 12
)

// newWayMap lays a picture out for the finding of a name.
func newWayMap(w *way, name string, wide bool) *wayMap {
	if w == nil {
		return nil
	}
	m := &wayMap{ID: "way-" + name + "-slim", Width: waySlim, Wide: wide}
	if wide {
		m.ID, m.Width = "way-"+name+"-wide", wayWide
	}
	m.Title = "The way of what was issued: from the answer to where the app keeps it and to where it sent it back"
	m.Desc = strings.Join(w.Steps(), ". ") + "."
	type column struct {
		head   string
		boxes  []wayBox
		height int
	}
	columns := []column{{head: "Issued in the answer"}, {head: "Kept by the app in"}, {head: "Sent back by the app as"}}
	width, letters := wayBoxW, 29
	if !wide {
		width, letters = waySlim-24, 32
	}
	if w.Asked != nil {
		columns[0].boxes = append(columns[0].boxes, newWayBox("asked", *w.Asked, letters, w.Asked.What, w.Asked.Where))
		columns[0].head = "Asked, and issued in the answer"
	}
	for _, p := range w.Values {
		columns[0].boxes = append(columns[0].boxes, newWayBox("minted", p, letters, title(p.What), inert.Middle(p.Where, letters-4)))
	}
	for _, p := range w.Stores {
		columns[1].boxes = append(columns[1].boxes, newWayBox("stored", p, letters, p.What, p.Where))
	}
	for _, p := range w.Uses {
		first, second := title(p.Use), title(p.What)
		if first == "" {
			first, second = second, ""
		}
		columns[2].boxes = append(columns[2].boxes, newWayBox("used", p, letters, first, second, inert.Middle(p.Where, letters-6)+often(p.Times)))
	}
	columns = slices.DeleteFunc(columns, func(c column) bool { return len(c.boxes) == 0 })
	most := 0
	for i := range columns {
		for _, b := range columns[i].boxes {
			columns[i].height += b.H + wayGap
		}
		most = max(most, columns[i].height)
	}
	y := 0
	for i, c := range columns {
		x := 0
		if wide {
			x, y = i*(wayWide-wayBoxW)/(len(columns)-1), (most-c.height)/2
		}
		head := wayHead{X: x, Y: y + 15, Text: c.head}
		if !wide {
			head.X = 24
		}
		m.Heads = append(m.Heads, head)
		y += wayHeadH
		for _, b := range c.boxes {
			b.X, b.Y, b.W = x, y, width
			if !wide {
				b.X = 24
			}
			for n, value := range b.carries {
				b.Badges = append(b.Badges, wayBadge{X: b.X + b.W - 14 - (len(b.carries)-1-n)*20, Y: b.Y + 15, Number: value})
			}
			m.Boxes = append(m.Boxes, b)
			y += b.H + wayGap
		}
		if !wide && i < len(columns)-1 {
			y += 6
		}
		m.Height = max(m.Height, y)
	}
	m.join()
	return m
}

func newWayBox(kind string, p waypoint, letters int, lines ...string) wayBox {
	b := wayBox{Kind: kind, carries: p.Carries}
	for i, l := range lines {
		most := letters
		if i == 0 {
			most -= 2 + 3*len(p.Carries) // it is bold, and the numbers stand beside it
		}
		if l != "" {
			b.Lines = append(b.Lines, inert.Middle(l, max(most, 8)))
		}
	}
	b.Text, b.Lines = b.Lines[0], b.Lines[1:]
	b.H = 30 + lineH*len(b.Lines)
	return b
}

// often says in few characters how often a place was seen.
func often(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" · %d×", n)
}

// join draws a line wherever the same value stands in two boxes of which one follows the other. In the narrow
// picture one line down the side joins all, and the numbers tell the values.
func (m *wayMap) join() {
	if !m.Wide {
		first, last := m.Boxes[0], m.Boxes[len(m.Boxes)-1]
		m.Lines = append(m.Lines, wayLine{D: fmt.Sprintf("M8 %dV%d", first.Y+15, last.Y+15)})
		for _, b := range m.Boxes {
			m.Lines = append(m.Lines, wayLine{D: fmt.Sprintf("M8 %dH%d", b.Y+15, b.X)})
		}
		return
	}
	order := []string{"minted", "stored", "used"}
	under, past := 0, 0 // where a line goes that leaves the middle column out, and where that column ends
	for _, b := range m.Boxes {
		if b.Kind == "stored" {
			under, past = max(under, b.Y+b.H+14), b.X+b.W
		}
	}
	for _, from := range m.Boxes {
		if from.Kind == "asked" {
			for _, to := range m.Boxes {
				if to.Kind == "minted" {
					m.Lines = append(m.Lines, wayLine{D: fmt.Sprintf("M%d %dV%d", from.X+20, from.Y+from.H, to.Y)})
					break
				}
			}
			continue
		}
		for _, value := range from.carries {
			// To the next column in which the value stands: what is not kept goes straight back.
			for _, kind := range order[slices.Index(order, from.Kind)+1:] {
				found := false
				for _, to := range m.Boxes {
					if n := slices.Index(to.carries, value); to.Kind == kind && n >= 0 {
						found = true
						d := curve(from.X+from.W, from.port(value), to.X, to.port(value))
						if from.Kind == "minted" && to.Kind == "used" && under > 0 {
							low := under + 8*value
							d = curve(from.X+from.W, from.port(value), past-wayBoxW, low) + fmt.Sprintf("H%d", past) + strings.Replace(curve(past, low, to.X, to.port(value)), fmt.Sprintf("M%d %d", past, low), "", 1)
							m.Height = max(m.Height, low+6)
						}
						m.Lines = append(m.Lines, wayLine{D: d, Value: value})
					}
				}
				if found {
					break
				}
			}
		}
	}
}

// port is how far down a value's line meets the box.
func (b *wayBox) port(value int) int {
	return b.Y + b.H*(slices.Index(b.carries, value)+1)/(len(b.carries)+1)
}
