package signup

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// node writes one node of a screen, one below the other.
func node(row int, class, attributes string) string {
	if !strings.Contains(attributes, "package=") {
		attributes += ` package="app"`
	}
	return fmt.Sprintf(`<node class="android.widget.%s" enabled="true" clickable="%v" bounds="[0,%d][1000,%d]" %s/>`, class, class != "TextView", row*100, row*100+90, attributes)
}

func parsed(t *testing.T, nodes ...string) *screen.Node {
	t.Helper()
	root, err := screen.Parse(strings.NewReader(`<hierarchy rotation="0"><node class="android.widget.FrameLayout" package="app" enabled="true" bounds="[0,0][1080,2400]">` + strings.Join(nodes, "") + `</node></hierarchy>`))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRead(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	password := node(3, "EditText", `password="true" text=""`)
	for name, c := range map[string]struct {
		nodes  []string
		fields string
		terms  int
		submit string // its label, where the screen is a form
	}{
		"hints":              {[]string{node(1, "EditText", `hint="Full name"`), node(2, "EditText", `hint="E-mail"`), password, node(4, "Button", `text="Create account"`)}, "name mail password", 0, "Create account"},
		"labels above":       {[]string{node(1, "TextView", `text="Email address"`), node(2, "EditText", ``), password, node(4, "Button", `text="Sign up"`)}, "mail password", 0, "Sign up"},
		"ids alone":          {[]string{node(2, "EditText", `resource-id="app:id/input_email"`), password, node(4, "Button", `text="Join"`)}, "mail password", 0, "Join"},
		"German":             {[]string{node(1, "EditText", `hint="Benutzername"`), node(2, "EditText", `hint="E-Mail-Adresse"`), password, node(5, "Button", `text="Konto erstellen"`)}, "user mail password", 0, "Konto erstellen"},
		"terms":              {[]string{node(2, "EditText", `hint="Email"`), password, node(4, "CheckBox", `checkable="true" checked="false" text="I agree to the Terms"`), node(5, "CheckBox", `checkable="true" checked="false" text="Send me news"`), node(6, "Button", `text="Next"`)}, "mail password", 1, "Next"},
		"the button below":   {[]string{node(1, "Button", `text="Register"`), node(2, "EditText", `hint="Email"`), password, node(4, "Button", `text="Register now to register"`), node(5, "Button", `text="Register"`)}, "mail password", 0, "Register now to register"},
		"signing in":         {[]string{node(2, "EditText", `hint="Email"`), password, node(4, "Button", `text="Sign in"`)}, "mail password", 0, ""},
		"search":             {[]string{node(1, "EditText", `hint="Search"`), node(4, "Button", `text="Sign up"`)}, "", 0, ""},
		"a name only":        {[]string{node(1, "EditText", `hint="Your name"`), node(4, "Button", `text="Next"`)}, "name", 0, ""},
		"of another package": {[]string{node(2, "EditText", `hint="Email" package="keyboard"`), node(4, "Button", `text="Sign up"`)}, "", 0, ""},
		"nothing":            {nil, "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			form := Read(parsed(t, c.nodes...), &kb.Signup, "app")
			var fields []string
			for _, f := range form.Fields {
				fields = append(fields, f.For)
			}
			submit := ""
			if form.Is() {
				submit = form.Submit.Label()
			}
			if strings.Join(fields, " ") != c.fields || len(form.Terms) != c.terms || submit != c.submit {
				t.Errorf("fields %v, %d terms, submit %q", fields, len(form.Terms), submit)
			}
		})
	}
}

func TestWays(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	root := parsed(t, node(1, "Button", `text="Profile"`), node(2, "Button", `text="Log in"`), node(3, "Button", `text="Sign up"`),
		node(4, "Button", `text="Sign up with Google"`), node(5, "Button", `text="Continue with email"`), node(6, "Button", `text="Already registered? Sign in"`), node(7, "Button", `text="Don't sign up"`))
	var labels []string
	for _, n := range Ways(root, &kb.Signup, "app") {
		labels = append(labels, n.Label())
	}
	if got := strings.Join(labels, ", "); got != "Continue with email, Sign up, Profile" {
		t.Errorf("ways: %s", got)
	}
	if Ways(nil, &kb.Signup, "app") != nil {
		t.Error("no screen has ways")
	}
}
