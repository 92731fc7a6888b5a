package screen

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const sample = `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<hierarchy rotation="0">
  <node index="0" text="" resource-id="" class="android.widget.FrameLayout" package="org.example.app" content-desc="" checkable="false" checked="false" clickable="false" enabled="true" focusable="false" focused="false" scrollable="false" long-clickable="false" password="false" selected="false" bounds="[0,0][1080,2400]" drawing-order="0" hint="">
    <node index="0" text="Your &amp; our privacy" resource-id="org.example.app:id/title" class="android.widget.TextView" package="org.example.app" content-desc="" clickable="false" enabled="true" bounds="[40,100][1040,200]"/>
    <node index="1" text="" resource-id="org.example.app:id/ok" class="android.view.ViewGroup" package="org.example.app" content-desc="" clickable="true" enabled="true" bounds="[40,300][540,400]">
      <node text="Accept" class="android.widget.TextView" package="org.example.app" enabled="true" bounds="[60,320][500,380]"/>
      <node text="all" class="android.widget.TextView" package="org.example.app" enabled="true" bounds="[60,380][500,390]"/>
    </node>
    <node text="" content-desc="Close" class="android.widget.ImageButton" clickable="true" enabled="false" bounds="[1000,0][1080,80]"/>
    <node text="" hint="Mail address" class="android.widget.EditText" clickable="true" enabled="true" bounds="[40,500][1040,600]"/>
    <node text="secret" class="android.widget.EditText" password="true" clickable="true" enabled="true" bounds="[40,600][1040,700]"/>
    <node text="Remember me" class="android.widget.CheckBox" checkable="true" checked="true" clickable="true" enabled="true" bounds="[40,700][1040,800]"/>
    <node text="off the screen" class="android.widget.TextView" enabled="true" bounds="[500,900][400,800]"/>
  </node>
</hierarchy>
UI hierchary dumped to: /dev/tty
`

func TestParse(t *testing.T) {
	root, err := Parse(strings.NewReader("some noise of a wrapper\n" + sample))
	if err != nil {
		t.Fatal(err)
	}
	if got := root.Bounds; got != (Rect{0, 0, 1080, 2400}) {
		t.Errorf("the screen's bounds are %v", got)
	}
	frame := root.Children[0]
	if len(frame.Children) != 7 {
		t.Fatalf("%d nodes, want 7", len(frame.Children))
	}
	want := &Node{Text: "Your & our privacy", ID: "org.example.app:id/title", Class: "android.widget.TextView", Package: "org.example.app", Enabled: true, Bounds: Rect{40, 100, 1040, 200}}
	if d := cmp.Diff(want, frame.Children[0]); d != "" {
		t.Error(d)
	}
	var all int
	for range root.All() {
		all++
	}
	if all != 11 {
		t.Errorf("%d nodes in all, want 11", all)
	}
	if x, y := frame.Children[1].Bounds.Center(); x != 290 || y != 350 {
		t.Errorf("center %d,%d", x, y)
	}
	if frame.Children[6].Visible() {
		t.Error("a node with inverted bounds passes for visible")
	}
	path := root.Path(frame.Children[1].Children[0])
	if len(path) != 4 || path[0] != root || path[2] != frame.Children[1] {
		t.Errorf("path of %d nodes", len(path))
	}
	if root.Path(&Node{}) != nil {
		t.Error("a path to a node that isn't there")
	}
}

func TestLabel(t *testing.T) {
	root, err := Parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, n := range root.Children[0].Children {
		labels = append(labels, n.Label())
	}
	want := []string{"Your & our privacy", "Accept all", "Close", "Mail address", "secret", "Remember me", "off the screen"}
	if d := cmp.Diff(want, labels); d != "" {
		t.Error(d)
	}
	if got := root.Children[0].Label(); got != "" {
		t.Errorf("a frame that can't be touched is labelled %q", got)
	}
	nested := &Node{Clickable: true, Children: []*Node{{Text: "Row"}, {Clickable: true, Text: "Delete"}}}
	if got := nested.Label(); got != "Row" {
		t.Errorf("a control within a control became part of its label: %q", got)
	}
}

func TestRender(t *testing.T) {
	root, err := Parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := `Your & our privacy
[Accept all]
[Close] (disabled)
____ (Mail address)
•••• (password)
[x] Remember me
`
	if d := cmp.Diff(want, root.Render()); d != "" {
		t.Error(d)
	}
	evil := &Node{Text: "a\x1b[2Jb\u202ec", Enabled: true, Bounds: Rect{0, 0, 1, 1}}
	if got := evil.Render(); got != "a[2Jbc\n" {
		t.Errorf("control characters get through: %q", got)
	}
}

func TestParseMendsWhatDevicesGetWrong(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"surrogates as two references":     {`&#55357;&#56832; hi`, "😀 hi"},
		"surrogates in hexadecimal":        {`&#xD83D;&#xDE00;`, "😀"},
		"half of a surrogate pair":         {`a&#55357;b`, "a\ufffdb"},
		"a reference to a control":         {`a&#0;b&#1;`, "a\ufffdb\ufffd"},
		"a control as it is":               {"a\x01b", "a\ufffdb"},
		"broken UTF-8":                     {"a\xffb", "a\ufffdb"},
		"a reference beyond Unicode":       {"&#99999999;", "\ufffd"},
		"references that are right":        {"&lt;&#65;&#x42;&amp;&#10;", "<AB&\n"},
		"a reference that never ends":      {"&#6", ""},
		"a name that only resembles one":   {"&nbsp;", ""},
		"text in the right form untouched": {"Größe – 大", "Größe – 大"},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := Parse(strings.NewReader(`<hierarchy><node text="` + c.raw + `" bounds="[0,0][1,1]"/></hierarchy>`))
			if c.want == "" {
				if !errors.Is(err, ErrNoScreen) {
					t.Fatalf("got %v, want ErrNoScreen", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := root.Children[0].Text; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseRefusesHostileInput(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"empty":                {"", ErrNoScreen},
		"an error message":     {"ERROR: null root node returned by UiTestAutomationBridge.", ErrNoScreen},
		"cut off":              {sample[:len(sample)/2], ErrNoScreen},
		"too deep":             {"<hierarchy>" + strings.Repeat("<node>", MaxDepth+1) + strings.Repeat("</node>", MaxDepth+1) + "</hierarchy>", ErrTooLarge},
		"too many":             {"<hierarchy>" + strings.Repeat("<node/>", MaxNodes+1) + "</hierarchy>", ErrTooLarge},
		"too long":             {"<hierarchy><node text='" + strings.Repeat("a", MaxSize) + "'/></hierarchy>", ErrTooLarge},
		"an entity of its own": {`<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><hierarchy><node text="&a;"/></hierarchy>`, ErrNoScreen},
		"crossed tags":         {"<hierarchy><node></hierarchy></node>", ErrNoScreen},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(strings.NewReader(c.raw)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseBounds(t *testing.T) {
	for s, want := range map[string]string{
		"[0,0][1,2]":               "{0 0 1 2} true",
		"[-10,5][20,3]":            "{-10 5 20 3} true",
		"[0,0][1]":                 "{0 0 0 0} false",
		"0,0,1,1":                  "{0 0 0 0} false",
		"[a,0][1,1]":               "{0 0 0 0} false",
		"[0,0][99999999,99999999]": "{0 0 0 0} false",
		"":                         "{0 0 0 0} false",
	} {
		r, ok := parseBounds(s)
		if got := fmt.Sprint(r, ok); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`<hierarchy><node text="&#55357;&#56832;" bounds="[0,0][1,1]"/></hierarchy>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		root, err := Parse(strings.NewReader(string(raw)))
		if (root == nil) != (err != nil) {
			t.Fatalf("root %v, error %v", root, err)
		}
		if root != nil {
			root.Render()
		}
	})
}

func TestParseUTF16(t *testing.T) {
	const xml = `<?xml version="1.0" encoding="UTF-16"?><hierarchy rotation="0"><node text="Einwilligung ✓ 😀" bounds="[0,0][9,9]"/></hierarchy>`
	for _, big := range []bool{false, true} {
		for _, mark := range []string{"", "\ufeff"} {
			var raw []byte
			for _, u := range utf16.Encode([]rune(mark + xml)) {
				if big {
					raw = append(raw, byte(u>>8), byte(u))
				} else {
					raw = append(raw, byte(u), byte(u>>8))
				}
			}
			root, err := Parse(bytes.NewReader(raw))
			if err != nil || root.Children[0].Text != "Einwilligung ✓ 😀" {
				t.Errorf("big endian %v, mark %q: %+v, %v", big, mark, root, err)
			}
		}
	}
}

func TestParseSaysWhatStandsThere(t *testing.T) {
	for text, want := range map[string]string{
		"": "there is nothing in it", "hello": "it is no XML", "<a/>": "no <hierarchy>",
		"ERROR: null root node returned by UiTestAutomationBridge.\n": "make the dump again",
		"ERROR: could not get idle state.":                            "make the dump again",
	} {
		_, err := Parse(strings.NewReader(text))
		if !errors.Is(err, ErrNoScreen) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A dump of all windows says which lies on top; it stands last then.
func TestParseWindows(t *testing.T) {
	root, err := Parse(strings.NewReader(`<displays><display id="0"><window layer="3"><hierarchy><node text="top" bounds="[0,0][9,9]"/></hierarchy></window>` +
		`<window layer="1"><hierarchy><node text="app" visible-to-user="false" bounds="[0,0][99,99]"/></hierarchy></window></display></displays>`))
	if err != nil {
		t.Fatal(err)
	}
	windows := root.Children[0].Children
	if len(windows) != 2 || windows[1].Layer != 3 || windows[1].Children[0].Children[0].Text != "top" {
		t.Errorf("%+v", windows)
	}
	if windows[0].Children[0].Children[0].Visible() {
		t.Error("what the dump says can't be seen passes for visible")
	}
}
