package reports_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

// picture is one drawing of a page: every element in it with its text.
type picture struct {
	name, desc string
	root       *html.Node
}

// pictures finds the drawings of a page whose id begins with a prefix.
func pictures(t *testing.T, page []byte, prefix string) []picture {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []picture
	byID := map[string]string{}
	for n := range root.Descendants() {
		if id := attribute(n, "id"); id != "" {
			byID[id] = inside(n)
		}
	}
	for n := range root.Descendants() {
		if named := attribute(n, "aria-labelledby"); n.Data == "svg" && strings.HasPrefix(named, prefix) {
			out = append(out, picture{byID[named], byID[attribute(n, "aria-describedby")], n})
		}
	}
	return out
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func inside(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// count is how many elements of a picture have a class.
func (p picture) count(element, class string) int {
	n := 0
	for c := range p.root.Descendants() {
		if c.Data == element && slices.Contains(strings.Fields(attribute(c, "class")), class) {
			n++
		}
	}
	return n
}

// The way of what was issued is drawn once wide and once slim, joins places by the value that stands in them and by
// nothing else, and says the same in words.
func TestTheWayIsDrawn(t *testing.T) {
	page := write(t, reports.FormatHTML, specimen.Armed(t))
	drawn := pictures(t, page, "way-")
	if len(drawn) != 2 {
		t.Fatalf("%d pictures, want a wide and a slim one of one finding", len(drawn))
	}
	wide, slim := drawn[0], drawn[1]
	for _, p := range drawn {
		if p.name == "" || !strings.Contains(p.desc, "The app keeps value 1 in its file session.xml") {
			t.Errorf("a picture is named %q, and described as %q", p.name, p.desc)
		}
		for class, want := range map[string]int{"asked": 1, "minted": 2, "stored": 1, "used": 3} {
			if got := p.count("g", class); got != want {
				t.Errorf("%d places %s, want %d", got, class, want)
			}
		}
	}
	// The token is kept and sent back; the user's id is sent back twice, and only a longer number is kept.
	for class, want := range map[string]int{"v1": 2, "v2": 2} {
		if got := wide.count("path", class); got != want {
			t.Errorf("%d lines of %s, want %d", got, class, want)
		}
	}
	if slim.count("circle", "v1") != 3 || slim.count("circle", "v2") != 3 {
		t.Error("numbers say not in the slim picture where each value stands")
	}
	seen := text(t, page)
	for _, says := range []string{
		"The app asked: POST /v1/users/anonymous at api.lantern.example",
		"The answer gave out value 2, in its body, at $.user.id: 7927677688035160581",
		"The app sent value 1 back as a bearer token to api.lantern.example, in the header authorization",
		"The app sent value 2 back as a field of the body to c0.partner.example, in the body, at $.u",
	} {
		if !strings.Contains(seen, says) {
			t.Errorf("the words lack %q", says)
		}
	}
}

// Twenty companies are drawn as twenty rows, and a dot stands where one holds a value.
func TestTheDossierIsDrawn(t *testing.T) {
	a := specimen.Armed(t)
	page := write(t, reports.FormatHTML, a)
	drawn := pictures(t, page, "links-")
	if len(drawn) != 2 {
		t.Fatalf("%d pictures", len(drawn))
	}
	dots := 0
	for _, l := range a.Judgement.Dossier.Links {
		dots += len(l.Companies)
	}
	if rows, got := drawn[0].count("text", "who"), strings.Count(render(t, drawn[0].root), "<circle"); rows != specimen.Holders || got != dots {
		t.Errorf("%d rows and %d dots, want %d and %d", rows, got, specimen.Holders, dots)
	}
	if !strings.Contains(drawn[0].desc, "1, User account, joins Lantern Ltd and Partner 0 Advertising Technologies Ltd; 2, Android ID (SSAID), joins ") {
		t.Errorf("the picture is described as %s", drawn[0].desc)
	}
	if drawn[0].count("g", "issued") != 1 {
		t.Error("an ID that one of them gave out is drawn as an identifier")
	}
	seen := text(t, page)
	for _, says := range []string{
		"4 more values are in the list only", // of the slim picture
		"User account sent to it; issued by api.lantern.example 7927677688035160581", "Who holds what", "User account issued by it",
	} {
		if !strings.Contains(seen, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	// What nobody but its issuer has, and what was passed on, are proved by the finding that it was issued.
	for _, how := range []string{"issued by it", "sent to it; issued by api.lantern.example"} {
		_, row, ok := strings.Cut(string(page), `<span class="in">`+how+"</span></td>")
		if row, _, _ = strings.Cut(row, "</tr>"); !ok || !strings.Contains(row, `href="#F1"`) {
			t.Errorf("%s: the proof is not named in %s", how, row)
		}
	}
	guilty := write(t, reports.FormatHTML, specimen.Guilty(t))
	if p := pictures(t, guilty, "links-"); len(p) != 2 || p[0].count("text", "who") != 4 || p[0].count("g", "link") != 2 {
		t.Errorf("four companies and two values are drawn otherwise")
	}
	if seen := text(t, guilty); !strings.Contains(seen, "sent to it, as SHA-256 a hash of ines.hartwig4821@postfach.example") || !strings.Contains(seen, "Advertising ID 3d0fa6c1-58b7-4e2c-9a41-7c0de9b3f215 joins AdReach Inc, Alibaba") {
		t.Errorf("the dossier's table lacks something")
	}
}

func render(t *testing.T, n *html.Node) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Render(&b, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The same id is the same letter and the same colour in every run, and no other id has that letter.
func TestArmsAreATable(t *testing.T) {
	a := specimen.Armed(t)
	page := string(write(t, reports.FormatHTML, a))
	_, table, _ := strings.Cut(page, `<table class="arms`)
	table, after, _ := strings.Cut(table, "</table>")
	var got []string
	for _, m := range regexp.MustCompile(`class="run" title="([^"]+)">(?:<span class="sr">not done</span>(×)|<span class="id (\w+)">(.)</span>)`).FindAllStringSubmatch(table, -1) {
		got = append(got, m[1]+" "+m[2]+m[3]+m[4])
	}
	var want []string
	var ids []string
	for _, r := range a.Judgement.Findings[1].Experiment.Runs {
		i := slices.Index(ids, r.ID)
		if i < 0 && r.Undone == "" {
			i = len(ids)
			ids = append(ids, r.ID)
		}
		class := "once"
		if i == 0 {
			class = "id1"
		}
		if r.Undone != "" {
			want = append(want, r.Arm+" ×")
		} else {
			want = append(want, r.Arm+" "+class+string([]rune("αβγδεζηθ")[i]))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the runs are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	seen := text(t, []byte(page))
	for _, says := range []string{
		"5 of 5 the same as in A", "0 of 5 the same as in A", "could not be done", "p = 1/252", "Android ID (SSAID): with another value of it",
		"Whether it hangs on the Wi-Fi address was not tested", "α 7927677688035160581 in 8 runs",
	} {
		if !strings.Contains(seen, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	if strings.Contains(after, "The arms compared") {
		t.Error("the table's facts stand there a second time")
	}
}

func TestCodeOfOthersIsATable(t *testing.T) {
	seen := text(t, write(t, reports.FormatHTML, specimen.Armed(t)))
	talking, silent := strings.Index(seen, "Partner Metrics"), strings.Index(seen, "Quiet Maps")
	if talking < 0 || silent < talking {
		t.Errorf("what was seen talking stands not before what was not: %d, %d", talking, silent)
	}
	for _, says := range []string{
		"c0.partner.example requests read; other code in the app talks to it too", "pinned.partner.example a connection that could not be read", "and 1 more mark", "none was seen",
	} {
		if !strings.Contains(seen, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}

// A question that a report has no words for is still named.
func TestQuestionThatIsNew(t *testing.T) {
	a := specimen.Innocent(t)
	j := *a.Judgement
	j.Questions = []judge.Question{{ID: "no-such", Title: "paints nothing blue", Verdict: judge.NotObserved}}
	if got := string(write(t, reports.FormatText, specimen.Audit{Evidence: a.Evidence, Judgement: &j})); !strings.Contains(strings.Join(strings.Fields(got), " "), "not seen to break the promise that it “paints nothing blue”") {
		t.Errorf("the lead says\n%s", fmt.Sprintf("%.900s", got))
	}
}
