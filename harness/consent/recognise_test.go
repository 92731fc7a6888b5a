package consent

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

func embedded(t *testing.T) *knowledge.Base {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

func words(t *testing.T) *knowledge.Lexicon { return &embedded(t).Consent }

// page builds a screen of one app: "=" before a label makes it a button, "#" a
// box to tick, "?" a text field, "*" a password field, "-" a disabled button; anything else is text.
func page(pkg string, labels ...string) *screen.Node {
	root := &screen.Node{Class: "hierarchy", Enabled: true}
	for i, l := range labels {
		n := &screen.Node{Class: "android.widget.TextView", Package: pkg, Enabled: true, Bounds: screen.Rect{Left: 0, Top: i * 100, Right: 1080, Bottom: i*100 + 90}}
		switch l[0] {
		case '=':
			n.Class, n.Clickable, l = "android.widget.Button", true, l[1:]
		case '-':
			n.Class, n.Clickable, n.Enabled, l = "android.widget.Button", true, false, l[1:]
		case '#':
			n.Class, n.Clickable, n.Checkable, l = "android.widget.CheckBox", true, true, l[1:]
		case '?':
			n.Class, n.Clickable, l = "android.widget.EditText", true, l[1:]
		case '*':
			n.Class, n.Clickable, n.Password, l = "android.widget.EditText", true, true, l[1:]
		}
		n.Text = l
		root.Children = append(root.Children, n)
	}
	return root
}

func labels(nodes []*screen.Node) string {
	var l []string
	for _, n := range nodes {
		l = append(l, n.Label())
	}
	return strings.Join(l, "|")
}

func TestRecognise(t *testing.T) {
	w := words(t)
	const text = "We and our partners use cookies to process your data."
	for _, c := range []struct {
		name             string
		screen           []string
		kind             Kind
		accept, reject   string
		settings, close_ string
	}{
		{name: "two equal buttons", screen: []string{"Your privacy", text, "=Accept", "=Reject"}, kind: Consent, accept: "Accept", reject: "Reject"},
		{name: "German", screen: []string{"Wir brauchen Ihre Einwilligung", "=Alle akzeptieren", "=Ablehnen"}, kind: Consent, accept: "Alle akzeptieren", reject: "Ablehnen"},
		{name: "a negation is a refusal", screen: []string{text, "=I accept", "=I do not accept"}, kind: Consent, accept: "I accept", reject: "I do not accept"},
		{name: "only the necessary is a refusal", screen: []string{text, "=Accept all", "=Accept only necessary"}, kind: Consent, accept: "Accept all", reject: "Accept only necessary"},
		{name: "no way to refuse but by settings", screen: []string{text, "=Accept all", "=Manage options"}, kind: Consent, accept: "Accept all", settings: "Manage options"},
		{name: "a notice", screen: []string{text, "=Got it"}, kind: Notice, accept: "Got it"},
		{name: "a box to tick is no button", screen: []string{text, "#I agree", "=Next"}, kind: Consent},
		{name: "a disabled button can't be tapped", screen: []string{text, "-Accept", "=Reject"}, kind: Consent, reject: "Reject"},
		{name: "yes and no without a question", screen: []string{"Incoming call", "=Accept", "=Decline"}, kind: Ordinary},
		{name: "a link to the policy makes no dialog", screen: []string{"Welcome", "=Privacy policy", "=OK"}, kind: Onboarding},
		{name: "words and no button", screen: []string{text, "=Home", "=Search"}, kind: Ordinary},
		{name: "a password", screen: []string{"Create your account", "?Mail", "*Password", text, "=Accept"}, kind: Signup},
		{name: "a mail field and sign-up words", screen: []string{"Sign up", "?Mail", "=Continue"}, kind: Signup},
		{name: "a search field is no sign-up", screen: []string{"?Search", "=Record", "=Home"}, kind: Ordinary},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Recognise(page("org.example.app", c.screen...), w, "org.example.app")
			if got.Kind != c.kind {
				t.Fatalf("kind %s (%s), want %s", got.Kind, got.Reason, c.kind)
			}
			for _, x := range [][2]string{{labels(got.Accept), c.accept}, {labels(got.Reject), c.reject}, {labels(got.Settings), c.settings}, {labels(got.Close), c.close_}} {
				if x[0] != x[1] {
					t.Errorf("got %q, want %q in %+v", x[0], x[1], got)
				}
			}
			if got.Reason == "" {
				t.Error("no reason is given")
			}
			if got.Kind == Unknown && got.Confidence != 0 {
				t.Errorf("an unknown screen has confidence %v", got.Confidence)
			}
		})
	}
}

// A refusal out of sight is none; where to scroll for it is said.
func TestScrollForARefusal(t *testing.T) {
	list := &screen.Node{Class: "android.widget.ScrollView", Scrollable: true, Enabled: true, Bounds: screen.Rect{Right: 1080, Bottom: 500}}
	list.Children = page("a.b", "We use cookies to process your data", "=Accept all", "a", "b", "c", "=Reject all").Children
	root := &screen.Node{Class: "hierarchy", Enabled: true, Bounds: screen.Rect{Right: 1080, Bottom: 2400}, Children: []*screen.Node{list}}
	got := Recognise(root, words(t), "a.b")
	if got.Kind != Consent || len(got.Reject) != 0 || got.Scroll != list {
		t.Errorf("%+v", got)
	}
	list.Bounds.Bottom = 700
	if got := Recognise(root, words(t), "a.b"); labels(got.Reject) != "Reject all" || got.Scroll != nil {
		t.Errorf("%+v", got)
	}
}

func TestRecogniseNothing(t *testing.T) {
	if got := Recognise(nil, words(t), "org.example.app"); got.Kind != Unknown {
		t.Errorf("%+v", got)
	}
	if got := Find(nil, &embedded(t).Words, knowledge.RoleRecord); got != nil {
		t.Errorf("%v", got)
	}
}

func TestLabelThatReadsAsYesAndNoIsNotTapped(t *testing.T) {
	got := Recognise(page("a.b", "We use cookies to process your data", "=Accept or reject", "=Don't reject"), words(t), "org.example.app")
	if len(got.Accept)+len(got.Reject) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestButtonInTheDialogGoesBeforeThePageBehind(t *testing.T) {
	behind, dialog := page("a.b", "Offer of the day", "=Accept", "=Decline"), page("a.b", "We use cookies to process your data", "=Accept", "=Decline")
	root := &screen.Node{Class: "hierarchy", Children: []*screen.Node{behind, dialog}}
	got := Recognise(root, words(t), "org.example.app")
	if len(got.Reject) != 1 || got.Reject[0] != dialog.Children[2] || got.Accept[0] != dialog.Children[1] {
		t.Errorf("the buttons to tap are not the dialog's: %+v", got)
	}
}

const permissionDialog = `<hierarchy rotation="0">
<node class="android.widget.FrameLayout" package="%[1]s" bounds="[0,0][1080,900]" enabled="true">
 <node class="android.widget.TextView" package="%[1]s" text="Darf diese App Fotos machen?" resource-id="%[1]s:id/permission_message" bounds="[0,0][1080,200]" enabled="true"/>
 <node class="android.widget.Button" package="%[1]s" clickable="true" enabled="true" text="Bei Nutzung der App" resource-id="%[2]s:id/permission_allow_foreground_only_button" bounds="[0,300][1080,400]"/>
 <node class="android.widget.Button" package="%[1]s" clickable="true" enabled="true" text="Nur dieses Mal" resource-id="%[2]s:id/permission_allow_one_time_button" bounds="[0,400][1080,500]"/>
 <node class="android.widget.Button" package="%[1]s" clickable="true" enabled="true" text="Nicht zulassen" resource-id="%[2]s:id/permission_deny_button" bounds="[0,500][1080,600]"/>
</node></hierarchy>`

func TestPermissionPrompt(t *testing.T) {
	parse := func(pkg, ids string) *screen.Node {
		root, err := screen.Parse(strings.NewReader(fmt.Sprintf(permissionDialog, pkg, ids)))
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	const android = "com.android.permissioncontroller"
	got := Recognise(parse(android, android), words(t), "org.example.app")
	if got.Kind != Permission || labels(got.Reject) != "Nicht zulassen" || labels(got.Accept) != "Bei Nutzung der App|Nur dieses Mal" {
		t.Errorf("%+v", got)
	}
	// The same buttons drawn by an app that borrows Android's ids.
	// An app that took such a name draws no dialog of Android's.
	got = Recognise(parse("com.evil.permissioncontroller", "com.evil.permissioncontroller"), words(t), "com.evil.permissioncontroller")
	if got.Kind == Permission {
		t.Errorf("the app's own dialog is taken for Android's: %+v", got)
	}
	got = Recognise(parse("org.example.liar", android), words(t), "org.example.app")
	if got.Kind == Permission {
		t.Errorf("an app's own screen was taken for Android's: %+v", got)
	}
}

func TestStuckApp(t *testing.T) {
	root := page("android", "Clock isn't responding", "=Close app", "=Wait")
	root.Children[2].ID = "android:id/aerr_wait"
	got := Recognise(root, words(t), "org.example.app")
	if got.Kind != Stuck || labels(got.Close) != "Wait" {
		t.Errorf("%+v", got)
	}
}

func TestFind(t *testing.T) {
	w := &embedded(t).Words
	root := page("a.b", "Record", "=Discard draft", "=Record", "=Discard")
	if got := Find(root, w, knowledge.RoleRecord); len(got) != 1 || !got[0].Clickable {
		t.Errorf("record: %s", labels(got))
	}
	if got := labels(Find(root, w, knowledge.RoleDiscard)); got != "Discard|Discard draft" {
		t.Errorf("discard: %s", got)
	}
	if got := Find(root, w, knowledge.RoleStop); got != nil {
		t.Errorf("stop: %s", labels(got))
	}
	// Where nothing can be touched, the label itself is where a finger would go.
	if got := Find(page("a.b", "Record"), w, knowledge.RoleRecord); len(got) != 1 {
		t.Errorf("label alone: %s", labels(got))
	}
}
