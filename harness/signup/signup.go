// Package signup finds the way to an app's sign-up form, and what has to be filled into
// it, on a screen as uiautomator describes it. It touches nothing: [Read] says what a
// person would fill in, and [Ways] what they would touch to get there.
package signup

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// What a field is for.
const (
	Mail     = knowledge.RoleFieldMail
	Name     = knowledge.RoleFieldName
	User     = knowledge.RoleFieldUser
	Password = "password"
)

// Field is a field of a form that somebody can fill in.
type Field struct {
	Node *screen.Node
	For  string // Mail, Name, User or Password
}

// Form is what of a sign-up form is on the screen.
type Form struct {
	Fields []Field        // from top to bottom
	Terms  []*screen.Node // boxes to tick that are not ticked
	Submit *screen.Node   // the button that sends it; nil where none was recognised
}

// Is reports whether the screen is one that a person signs up on, or a step of it: a mail
// address or a password is asked for, and there is a button that sends it.
func (f *Form) Is() bool {
	return f.Submit != nil && slices.ContainsFunc(f.Fields, func(x Field) bool { return x.For == Mail || x.For == Password })
}

// Words tells what words on a screen are for; [knowledge.Words] is one.
type Words interface {
	Match(role, text string) (language, pattern string, ok bool)
}

// Read finds the form that is on the screen. What is not the app's own is not looked at.
func Read(root *screen.Node, words Words, pkg string) Form {
	var form Form
	label := "" // what was read last: many a field has its name above it
	bottom := 0
	for n := range root.All() {
		if !n.Visible() || !n.Enabled || pkg != "" && n.Package != "" && n.Package != pkg {
			continue
		}
		switch {
		case n.Editable():
			if what := purpose(n, label, words); what != "" {
				form.Fields = append(form.Fields, Field{n, what})
				bottom = max(bottom, n.Bounds.Bottom)
			}
			label = ""
		case n.Checkable:
			if !n.Checked && is(words, knowledge.RoleTerms, n.Label(), label) {
				form.Terms = append(form.Terms, n)
			}
		case len(n.Children) == 0 && n.Label() != "":
			label = n.Label()
		}
	}
	if len(form.Fields) == 0 {
		return form
	}
	for _, role := range []string{knowledge.RoleRegister, knowledge.RoleNext} {
		if buttons := buttons(root, words, role, pkg); len(buttons) > 0 {
			// The one that stands below the fields and nearest to them sends the form.
			form.Submit = slices.MinFunc(buttons, func(a, b *screen.Node) int {
				return cmp.Compare(far(a, bottom), far(b, bottom))
			})
			break
		}
	}
	return form
}

// far is how far below a form's last field a button stands; one above it counts as farther.
func far(n *screen.Node, bottom int) int {
	if d := n.Bounds.Top - bottom; d >= 0 {
		return d
	}
	return 1_000_000 + bottom - n.Bounds.Top
}

// purpose is what a field is for, by what it says of itself and what stands above it.
func purpose(n *screen.Node, label string, words Words) string {
	if n.Password {
		return Password
	}
	_, id, _ := strings.Cut(n.ID, ":id/")
	if id == "" {
		id = n.ID
	}
	said := []string{n.Hint, n.Desc, separators.ReplaceAllString(id, " "), label}
	for _, text := range said {
		for _, role := range []string{Mail, User, Name} {
			if _, _, ok := words.Match(role, text); ok {
				return role
			}
		}
	}
	return ""
}

var separators = regexp.MustCompile(`[^\pL]+`)

func is(words Words, role string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		_, _, ok := words.Match(role, text)
		return ok
	})
}

// Ways are the buttons that may lead to a sign-up form, the likeliest first.
func Ways(root *screen.Node, words Words, pkg string) []*screen.Node {
	var out []*screen.Node
	for _, role := range []string{knowledge.RoleByMail, knowledge.RoleRegister, knowledge.RoleProfile} {
		out = append(out, buttons(root, words, role, pkg)...)
	}
	return out
}

func buttons(root *screen.Node, words Words, role, pkg string) []*screen.Node {
	var out []*screen.Node
	for n := range root.All() {
		if n.Visible() && n.Enabled && !n.Editable() && !n.Checkable && (n.Clickable || strings.HasSuffix(n.Class, "Button")) &&
			(pkg == "" || n.Package == "" || n.Package == pkg) && is(words, role, n.Label()) {
			out = append(out, n)
		}
	}
	return out
}
