package consent

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// labelledScreen is what a person says of a screen of testdata: what it is for, and what its
// buttons say. A screen without a list has no such button.
type labelledScreen struct {
	File     string   `yaml:"file"`
	Screen   Kind     `yaml:"screen"`
	Accept   []string `yaml:"accept"`
	Reject   []string `yaml:"reject"`
	Settings []string `yaml:"settings"`
	Save     []string `yaml:"save"`
	Pay      []string `yaml:"pay"`
	Toggles  []string `yaml:"toggles"`
}

// score counts how often nodes were named rightly, wrongly, or not.
type score struct{ right, wrong, missed int }

func (s *score) count(t *testing.T, what string, got []*screen.Node, want []string) {
	t.Helper()
	want = slices.Clone(want)
	for i := range want {
		want[i] = trim(want[i])
	}
	for _, n := range got {
		if i := slices.Index(want, trim(n.Label())); i >= 0 {
			want = slices.Delete(want, i, i+1)
			s.right++
			continue
		}
		s.wrong++
		t.Logf("%s: %q should not be named", what, n.Label())
	}
	if len(want) > 0 {
		s.missed += len(want)
		t.Logf("%s: %q is not named", what, want)
	}
}

func (s *score) precision() float64 { return share(s.right, s.right+s.wrong) }
func (s *score) recall() float64    { return share(s.right, s.right+s.missed) }

func share(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// TestScreens asks of what a wrong tap would do harm: that no node is named to refuse that
// doesn't, and that hardly one that does is missed.
func TestScreens(t *testing.T) {
	for _, set := range []string{"screens", "heldout", "further"} {
		t.Run(set, func(t *testing.T) { checkScreens(t, set) })
	}
}

func checkScreens(t *testing.T, set string) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join("testdata", set+".yaml")
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var screens []labelledScreen
	if err := strictyaml.Decode(list, data, &screens); err != nil {
		t.Fatal(err)
	}
	var reject, accept, settings, save, pay, toggles score
	kinds, asking := 0, 0
	for _, want := range screens {
		xml, err := os.ReadFile(filepath.Join("testdata", set, want.File))
		if err != nil {
			t.Fatal(err)
		}
		root, err := screen.Parse(bytes.NewReader(xml))
		if err != nil {
			t.Fatal(err)
		}
		got := Recognise(root, &kb.Consent, "")
		if want.Screen == Consent {
			asking++
		}
		if got.Kind == want.Screen {
			kinds++
		} else {
			t.Logf("%s: %s (%.2f, %s), want %s", want.File, got.Kind, got.Confidence, got.Reason, want.Screen)
		}
		if got.Reason == "" {
			t.Errorf("%s: no reason", want.File)
		}
		reject.count(t, want.File+" reject", got.Reject, want.Reject)
		if want.Screen == Consent || want.Screen == Permission {
			accept.count(t, want.File+" accept", got.Accept, want.Accept)
			settings.count(t, want.File+" settings", got.Settings, want.Settings)
			save.count(t, want.File+" save", got.Save, want.Save)
			pay.count(t, want.File+" pay", got.Pay, want.Pay)
			var labels []*screen.Node
			for _, g := range got.Toggles {
				labels = append(labels, &screen.Node{Text: g.Label})
			}
			toggles.count(t, want.File+" toggles", labels, want.Toggles)
		}
	}
	t.Logf("%d screens, %d ask for consent; %d kinds right", len(screens), asking, kinds)
	for _, s := range []struct {
		name string
		score
	}{{"reject", reject}, {"accept", accept}, {"settings", settings}, {"save", save}, {"pay", pay}, {"toggles", toggles}} {
		t.Logf("%-8s %3d right, %d wrong, %d missed: precision %.3f, recall %.3f", s.name, s.right, s.wrong, s.missed, s.precision(), s.recall())
	}
	if len(screens) < 40 || 5*asking > 3*len(screens) {
		t.Errorf("%d screens, %d of them ask: too few, or too few that don't", len(screens), asking)
	}
	if reject.precision() < 1 || accept.precision() < 1 {
		t.Error("a node was named that does something else")
	}
	if reject.recall() < 0.95 || accept.recall() < 0.95 || share(kinds, len(screens)) < 0.95 {
		t.Error("too much was missed")
	}
}

// What Android's XML holds besides is passed over all the same.
func TestScreenLabelsAreTrimmed(t *testing.T) {
	if trim(" a\u00a0 b ") != strings.Join([]string{"a", "b"}, " ") {
		t.Error("no-break spaces stay")
	}
}

// Whatever a screen says, what is named can be touched, and no node is named for two opposite ends.
func FuzzRecognise(f *testing.F) {
	kb, err := knowledge.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"screens/didomi-fr.xml", "heldout/windows-en.xml", "further/shape-windows-layers.xml", "further/shape-appium.xml", "screens/odd-letters-de.xml"} {
		xml, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(xml)
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		root, err := screen.Parse(bytes.NewReader(xml))
		if err != nil {
			return
		}
		s := Recognise(root, &kb.Consent, "")
		if s.Reason == "" || s.Confidence < 0 || s.Confidence > 1 || s.Kind == Unknown && len(s.Accept)+len(s.Reject) > 0 {
			t.Errorf("%+v", s)
		}
		named := map[*screen.Node]bool{}
		for n := range root.All() {
			named[n] = true
		}
		for _, n := range slices.Concat(s.Accept, s.Reject, s.Settings, s.Save, s.Close, s.Continue, s.Pay) {
			if !named[n] || !n.Enabled || s.Kind != Permission && s.Kind != Stuck && !n.Visible() {
				t.Errorf("%+v can't be touched", n)
			}
		}
		for _, n := range s.Reject {
			if slices.Contains(s.Accept, n) || slices.Contains(s.Pay, n) {
				t.Errorf("%q both refuses and doesn't", n.Label())
			}
		}
	})
}
