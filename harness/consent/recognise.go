package consent

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// Recognise says what a screen is for and which nodes give, refuse or leave it.
// Of a screen that is neither consent nor its like it names only what is safe to touch.
// app is the package of the app under audit, "" where it is not known: what it draws is
// never Android's own dialog, whatever it calls itself.
func Recognise(root *screen.Node, lex *knowledge.Lexicon, app string) Screen {
	if root == nil {
		return unknown("there is no screen")
	}
	if s, ok := system(root, lex, app); ok {
		return s
	}
	count := 0
	for range root.All() {
		if count++; count > maxNodes {
			return unknown(fmt.Sprintf("it has more than %d nodes, which no person could read", maxNodes))
		}
	}
	r := newReader(root, lex)
	surfaces := r.surfaces(root)
	if len(surfaces) == 0 {
		return unknown("nothing on the screen can be read; a picture in place of text, or the app draws it in a way that it doesn't tell")
	}
	var s Screen
	for i, surface := range surfaces {
		var sure bool
		if s, sure = r.judge(surface, i < len(surfaces)-1 && !r.isModal(root, surface)); sure {
			break
		}
	}
	if s.Kind != Unknown && s.Confidence < Threshold {
		s = unknown(s.Reason + "; that is not sure enough to touch anything")
	}
	return s
}

// maxNodes bounds the screens that are looked at. Real ones have some hundred nodes.
const maxNodes = 10_000

// unknown is no opinion, with the way out.
func unknown(why string) Screen {
	return Screen{Kind: Unknown, Reason: why + "; write a flow file that says what to tap"}
}

// isModal reports whether a surface lies over the middle of the screen.
func (r *reader) isModal(root, surface *screen.Node) bool {
	x, y := root.Bounds.Center()
	return r.box[surface].Contains(x, y)
}

// judge says what one surface is for. sure is false where nothing on it tells, so that
// what lies below decides; of a bar at an edge little can.
func (r *reader) judge(root *screen.Node, bar bool) (s Screen, sure bool) {
	controls := r.controls(root)
	a := r.about(root, controls)
	b := r.sort(root, controls, a.texts)
	if a.strong() && len(b.Accept)+len(b.Reject)+len(b.Settings) == 0 {
		if labels := r.labels(root, controls); len(labels) > 0 {
			b = r.sort(root, append(controls, labels...), a.texts)
			b.Reason = "; its answers are texts that Android knows as no buttons"
		}
	}
	b.Toggles, b.Scroll = r.toggles(root), scrolls(root)
	rules := []func(*subject, *Screen) (Screen, bool){r.account, r.age, r.consent, r.introduction}
	if bar {
		rules = rules[2:3]
	}
	for _, rule := range rules {
		if s, ok := rule(&a, &b); ok {
			return s, true
		}
	}
	ordinary := Screen{Kind: Ordinary, Confidence: 0.8, Close: b.Close}
	switch {
	case a.other > 0:
		ordinary.Confidence, ordinary.Reason = 0.85, fmt.Sprintf("it is about something else (%q)", a.words[knowledge.SenseOther])
		return ordinary, a.count > 1 && !bar
	case a.count < 2 && len(controls) == 0:
		return unknown("there is too little on the screen to tell"), false
	case a.fields == 0 && a.count <= 6 && len(controls) <= 3 && r.strange(controls):
		return unknown("it is in no language that is known"), false
	case a.strong():
		ordinary.Confidence = 0.6
		ordinary.Reason = fmt.Sprintf("it speaks of consent (%q) and has no button known to answer it", a.words[knowledge.SenseTopic])
	default:
		ordinary.Reason = "nothing on it asks for consent, an account or an age"
	}
	return ordinary, !bar && len(b.Accept)+len(b.Reject) == 0
}

// scrolls is the largest list that can be scrolled, nil if there is none.
func scrolls(root *screen.Node) *screen.Node {
	var largest *screen.Node
	for n := range root.All() {
		if n.Scrollable && n.Visible() && (largest == nil || area(n.Bounds) > area(largest.Bounds)) {
			largest = n
		}
	}
	return largest
}

// strange reports whether no button and no text of a screen is in a known language.
func (r *reader) strange(controls []control) bool {
	most := 0
	for _, n := range r.languages {
		most = max(most, n)
	}
	return most == 0 && !slices.ContainsFunc(controls, func(c control) bool { return c.intent != none })
}

// sort puts the buttons into a screen's lists, those first that are closest to the text
// that asks. Answers further out than the text's own dialog count only where the
// dialog has none of the kind and no second answer lies beside them.
func (r *reader) sort(root *screen.Node, controls []control, texts []*screen.Node) Screen {
	kin := kinship(root, texts)
	var s Screen
	for _, c := range controls {
		switch c.intent {
		case accepts:
			s.Accept = append(s.Accept, c.node)
		case rejects:
			s.Reject = append(s.Reject, c.node)
		case opens:
			s.Settings = append(s.Settings, c.node)
		case saves:
			s.Save = append(s.Save, c.node)
		case closes:
			s.Close = append(s.Close, c.node)
		case acknowledges, proceeds:
			s.Continue = append(s.Continue, c.node)
		case pays:
			s.Pay = append(s.Pay, c.node)
		}
	}
	for _, list := range []*[]*screen.Node{&s.Accept, &s.Reject, &s.Settings, &s.Save, &s.Close, &s.Continue, &s.Pay} {
		slices.SortStableFunc(*list, func(a, b *screen.Node) int {
			return cmp.Or(cmp.Compare(kin[b], kin[a]), cmp.Compare(utf8.RuneCountInString(a.Label()), utf8.RuneCountInString(b.Label())))
		})
	}
	s.Accept, s.Reject = closest(s.Accept, s.Reject, kin)
	if len(s.Settings)+len(s.Reject) == 0 {
		for _, c := range controls {
			if c.intent == informs && isButtonClass(c.node) {
				s.Settings = append(s.Settings, c.node)
			}
		}
	}
	return s
}

// closest drops pairs of answers that belong to what lies behind: where the nearest
// accept and reject are equally near, others that are further away are another question's.
func closest(accept, reject []*screen.Node, kin map[*screen.Node]int) (a, b []*screen.Node) {
	if len(accept) == 0 || len(reject) == 0 {
		return accept, reject
	}
	near := max(kin[accept[0]], kin[reject[0]])
	keep := func(list, other []*screen.Node) []*screen.Node {
		return slices.DeleteFunc(slices.Clone(list), func(n *screen.Node) bool {
			return kin[n] < near && slices.ContainsFunc(other, func(o *screen.Node) bool { return kin[o] == kin[n] }) && kin[n] < near
		})
	}
	return keep(accept, reject), keep(reject, accept)
}

// kinship is, for each node, the depth of the deepest node that it and one of the texts
// are both in: a button in the dialog is closer to its text than one on the page behind.
func kinship(root *screen.Node, texts []*screen.Node) map[*screen.Node]int {
	holds := map[*screen.Node]bool{}
	for _, t := range texts {
		for _, n := range root.Path(t) {
			holds[n] = true
		}
	}
	kin := map[*screen.Node]int{}
	var walk func(n *screen.Node, depth, shared int)
	walk = func(n *screen.Node, depth, shared int) {
		if holds[n] {
			shared = depth
		}
		kin[n] = shared
		for _, c := range n.Children {
			walk(c, depth+1, shared)
		}
	}
	walk(root, 0, 0)
	return kin
}
