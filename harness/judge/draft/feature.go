package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Vector is something that has the shape of what is computed from a face.
type Vector struct {
	Feature    *knowledge.Feature
	Surface    string // of the list
	Chain      []string
	Points     int
	Confidence string // "high" or "medium"
	Grounds    string
	Excerpt    string
}

// Features looks for feature vectors in one message. Hand it every part, then ask for Vectors.
type Features struct {
	known []knowledge.Feature
	lists map[string]*numbers
	order []string
}

// numbers are the numbers of one list, in order.
type numbers struct {
	keys    []string
	chain   []string
	items   map[int]int // position in the list → numbers in it
	whole   int         // how many are integers
	count   int
	excerpt strings.Builder
}

// NewFeatures begins a message.
func NewFeatures(known []knowledge.Feature) *Features {
	return &Features{known: known, lists: map[string]*numbers{}}
}

// mostLists bounds what one message can make us remember.
const mostLists = 4096

// Part takes in one part.
func (f *Features) Part(p *unwrap.Part) {
	if p.Type != unwrap.Number {
		return
	}
	path := p.Surface()
	// The list is what stands before the first position: $.points[3].x and $.points[3][0] are in $.points.
	open := strings.IndexByte(path, '[')
	for open >= 0 && open+1 < len(path) && path[open+1] == '\'' {
		next := strings.IndexByte(path[open+1:], '[')
		if next < 0 {
			return
		}
		open += 1 + next
	}
	if open < 0 {
		return
	}
	end := strings.IndexByte(path[open:], ']')
	if end < 0 {
		return
	}
	item, err := strconv.Atoi(path[open+1 : open+end])
	if err != nil {
		return
	}
	// A list in a list: what stands before the last position but one may be the list of faces.
	list := path[:open]
	if rest := path[open+end+1:]; strings.Count(rest, "[") >= 1 {
		if outer, inner, ok := deeper(path); ok && outer != list {
			f.add(outer, inner, p)
		}
	}
	f.add(list, item, p)
}

// deeper splits $.faces[0].points[12].x into $.faces[0].points and 12, and
// $.faces[0][12][1] into $.faces[0] and 12.
func deeper(path string) (list string, item int, ok bool) {
	last := strings.LastIndexByte(path, '[')
	at := last
	if strings.HasSuffix(path, "]") && strings.HasSuffix(path[:last], "]") {
		at = strings.LastIndexByte(path[:last], '[')
	}
	end := strings.IndexByte(path[at:], ']')
	item, err := strconv.Atoi(path[at+1 : at+end])
	return path[:at], item, err == nil
}

func (f *Features) add(list string, item int, p *unwrap.Part) {
	n := f.lists[list]
	if n == nil {
		if len(f.lists) >= mostLists {
			return
		}
		n = &numbers{keys: p.Keys(), chain: p.Chain, items: map[int]int{}}
		f.lists[list] = n
		f.order = append(f.order, list)
	}
	n.items[item]++
	n.count++
	if !strings.ContainsAny(string(p.Data), ".eE") {
		n.whole++
	}
	if n.excerpt.Len() < 120 {
		n.excerpt.WriteString(string(p.Data) + ", ")
	}
}

// Vectors ends the message.
func (f *Features) Vectors() []Vector {
	var out []Vector
	for _, list := range f.order {
		n := f.lists[list]
		size := n.size()
		if size == 0 {
			continue
		}
		for i := range f.known {
			k := &f.known[i]
			points := len(n.items)
			if size == 1 && !slices.Contains(k.Sizes, 1) { // a flat list of coordinates
				flat := slices.IndexFunc(k.Sizes, func(s int) bool { return points%s == 0 && slices.Contains(k.Counts, points/s) })
				if flat < 0 {
					continue
				}
				points /= k.Sizes[flat]
			} else if !slices.Contains(k.Sizes, size) || !slices.Contains(k.Counts, points) {
				continue
			}
			named := slices.ContainsFunc(n.keys, func(key string) bool { return knowledge.Named(k.Names, key) })
			if !named && (k.NeedsName || size == 1) {
				continue
			}
			v := Vector{
				Feature: k, Surface: list, Chain: n.chain, Points: points, Confidence: "medium",
				Grounds: fmt.Sprintf("a list of %d points with %d numbers each", points, max(size, len(n.items)/points)),
				Excerpt: strings.Join(n.keys, ".") + ": " + strings.TrimSuffix(n.excerpt.String(), ", "),
			}
			if slices.Equal(k.Sizes, []int{1}) {
				v.Grounds = fmt.Sprintf("a list of %d numbers", points)
			}
			if named {
				v.Confidence = "high"
				v.Grounds += ", in a field that is named for it"
			}
			v.Grounds += "; confidence " + v.Confidence
			out = append(out, v)
			break
		}
	}
	return out
}

// size is how many numbers each item of the list has; 0 if they differ.
func (n *numbers) size() int {
	size := 0
	for _, count := range n.items {
		if size != 0 && count != size {
			return 0
		}
		size = count
	}
	return size
}
