package reports_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

// The only elements that may be in a page. There is no script, no frame, no form and nothing that loads.
var allowed = strings.Fields(`html head meta title style body a div nav h1 h2 h3 ol ul li main section header footer p span b strong
	small code bdi figure figcaption table caption thead tbody tr th td details summary dl dt dd pre mark i em time br article
	svg desc g path rect text circle image`)

func TestHTMLHoldsNothingThatActs(t *testing.T) {
	for name, make := range specimens {
		t.Run(name, func(t *testing.T) {
			z := html.NewTokenizer(bytes.NewReader(write(t, reports.FormatHTML, make(t))))
			ids, refs := map[string]bool{}, map[string]bool{}
			for {
				switch z.Next() {
				case html.ErrorToken:
					if z.Err() != io.EOF {
						t.Fatal(z.Err())
					}
					for ref := range refs {
						if !ids[ref] {
							t.Errorf("a link leads to #%s, which is not there", ref)
						}
					}
					return
				case html.StartTagToken, html.SelfClosingTagToken:
					checkTag(t, z.Token(), ids, refs)
				}
			}
		})
	}
}

func checkTag(t *testing.T, tag html.Token, ids, refs map[string]bool) {
	t.Helper()
	if !slices.Contains(allowed, tag.Data) {
		t.Errorf("an element %s", tag)
	}
	for _, a := range tag.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "srcset", a.Key == "action":
			t.Errorf("an attribute that acts or loads: %s", tag)
		case a.Key == "href" && tag.Data == "image":
			if !strings.HasPrefix(a.Val, "data:image/png;base64,") && !strings.HasPrefix(a.Val, "data:image/jpeg;base64,") {
				t.Errorf("an image that is not part of the page: %.200s", a.Val)
			}
		case a.Key == "href":
			ref, ok := strings.CutPrefix(a.Val, "#")
			if !ok {
				t.Errorf("a link out of the page: %s", tag)
			}
			refs[ref] = true
		case a.Key == "id":
			if ids[a.Val] {
				t.Errorf("two elements have the id %s", a.Val)
			}
			ids[a.Val] = true
		}
	}
}

// text is what a reader sees of a page, with spaces in a row as one.
func text(t testing.TB, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return regexp.MustCompile(`\s+`).ReplaceAllString(b.String(), " ")
}

func TestHTMLOpensTheProof(t *testing.T) {
	page := write(t, reports.FormatHTML, specimen.Guilty(t))
	if n := len(page); n > 400_000 {
		t.Errorf("the page has %d bytes", n)
	}
	for _, marked := range []string{
		`<mark>9f4c1be27a60d358</mark>`, // in JSON within gzip
		`<mark>3d0fa6c1-58b7-4e2c-9a41-7c0de9b3f215</mark>`,
		`Bearer <mark>cs_at_8Qm2vYx7LpR4nWzT0kHdJ6sBfE1uCgAo</mark>`,
		`<mark>b3d8989d5251e4b29f713254ccbf4a63fc22ee3f354cba88a1b036b3ba210772</mark>`, // the hash, in the URL
		`<mark>⟨9,900 bytes that are no text⟩</mark>`,
	} {
		if !bytes.Contains(page, []byte(marked)) {
			t.Errorf("no place is marked as %s", marked)
		}
	}
	seen := text(t, page)
	for _, want := range []string{
		"Violated", "SIMULATED DEVICE", "Without anyone signing up, ClipShare created an account for this person",
		"request, body, at $.deviceId → gzip → plain", "The place, decoded from base64",
		"printf %s 'ines.hartwig4821@postfach.example' | sha256sum", "line 24 of log.jsonl",
		"Advertising ID 3d0fa6c1-58b7-4e2c-9a41-7c0de9b3f215 joins AdReach Inc, Alibaba",
		"We touched “Not now” at 103, 292: rejects the consent dialog",
		"the app refused the proxy's certificate", "10 decoys", "None was found", "not planted: this device does not model telephony",
		"unasked replay BUNDLE", "quick", "From here on: while the refusal was being touched, 3 requests", "before any choice, then while the refusal was being touched, then after rejection",
		"Not planted, and so not recognised if the app sent the device’s real one: phone number and IMEI", "… creates no account",
		"sent what looks like the geometry of a face",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := bytes.Count(page, []byte("data:image/png")); n != 3 {
		t.Errorf("%d pictures, want the 3 distinct ones", n)
	}
	if strings.Contains(seen, "not written") || strings.Contains(seen, "can't be decoded") {
		t.Error("a body was not decoded")
	}
}

func TestHTMLOfOtherVerdicts(t *testing.T) {
	innocent := text(t, write(t, reports.FormatHTML, specimen.Innocent(t)))
	for _, want := range []string{"Not observed", "That is no statement about other versions", "after a person’s own sign-up: no violation", "No blind spot that could hide a breach was recorded. What the instrument can’t know of", "0 connections unread", "2 more were opened by the app and not needed", "Noted This changes no answer", "8 of these 10 values were put on the device", "with headers as HTTP/2 compresses them"} {
		if !strings.Contains(innocent, want) {
			t.Errorf("the innocent app's page does not say %q", want)
		}
	}
	for _, not := range []string{"pins its certificates", "anything that was asked", "without sign-up without"} {
		if strings.Contains(innocent, not) {
			t.Errorf("the innocent app's page says %q", not)
		}
	}
	unread := text(t, write(t, reports.FormatHTML, specimen.Unread(t)))
	for _, want := range []string{"Inconclusive", "2 things could not be looked at", "It was not reached. the app could not be started", "failed: this app has native", "There is no finding."} {
		if !strings.Contains(unread, want) {
			t.Errorf("the unread app's page does not say %q", want)
		}
	}
	if strings.Contains(unread, "SIMULATED") {
		t.Error("a real device is called simulated")
	}
}

func TestHTMLOfVeryManyFlowsStaysSmall(t *testing.T) {
	a := specimen.Crowded(t, 1000, 400)
	page := write(t, reports.FormatHTML, a)
	if len(page) > 6<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	seen := text(t, page)
	for _, want := range []string{"F400", "1,000 requests", "Further findings, without their proof", "more distinct screenshots are in the evidence"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for i := range 400 {
		if !bytes.Contains(page, fmt.Appendf(nil, `id="F%d"`, i+1)) {
			t.Fatalf("finding %d is lost", i+1)
		}
	}
}

// Red is for violations: an installation ID breaks no promise, a user account does.
func TestRedIsForViolations(t *testing.T) {
	page := string(write(t, reports.FormatHTML, specimen.Guilty(t)))
	for what, red := range map[string]bool{"User account": true, "Installation ID": false} {
		_, row, ok := strings.Cut(page, `<td class="what"><bdi>`+what+`</bdi>`)
		row, _, _ = strings.Cut(row, "</tr>")
		if !ok || strings.Contains(row, `class="yes violates"`) != red {
			t.Errorf("%s: red should be %v in\n%s", what, red, row)
		}
	}
	for level, red := range map[string]bool{"L1": true, "L2": false, "L3": true, "L4": false} {
		if got := regexp.MustCompile(`<div class="rung[^"]*violates"><b>` + level).MatchString(page); got != red {
			t.Errorf("%s is red: %v", level, got)
		}
	}
	innocent := string(write(t, reports.FormatHTML, specimen.Innocent(t)))
	if _, body, _ := strings.Cut(innocent, "</style>"); regexp.MustCompile(`class="[^"]*violates`).MatchString(body) {
		t.Error("the innocent app's page has red in it")
	}
}

// What could not be read, how much that was, and how sure a finding is, stand in the page.
func TestHTMLSaysWhatWasNotRead(t *testing.T) {
	page := string(write(t, reports.FormatHTML, specimen.Guilty(t)))
	for _, says := range []string{
		"<b>78.2 %</b> of the bytes sent could be read",
		"less than the 80 % that the protocol asks for",
		`class="missing"`, `class="unread"`, `class="clear"`,
		"pinned.clipshare.example</bdi></code></span> <span class=\"how\">at <code><bdi>203.0.113.9:443", "t13d1516h2_8daaf6152771_02713d6af862", "e7d705a3286e19ea42f587b344ee6865",
		"Let through untouched",
		`<tr class="early"><td><code><bdi>pinned.clipshare.example</bdi></code> <span class="how"><bdi>ClipShare Ltd</bdi>, Singapore`,
		"beacon.adreach.example", "doh; <bdi>NXDOMAIN</bdi>",
		"WebSocket message 0, to the device", "<mark>&#43;12025550143</mark>",
		"97 % sure: the value stands there with about 40 bits",
		"only possible: violates nothing", "40 % sure, so it violates nothing by itself",
	} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}

// A level is marked where its own proof is, and not because a higher one was reached.
func TestALevelIsMarkedForItsOwnProof(t *testing.T) {
	in := specimen.Guilty(t)
	in.Judgement.Findings = append(in.Judgement.Findings, judge.Finding{
		ID: "a5", Claim: judge.AccountObject, Level: 5, Title: "keeps more than an id", Subject: "ClipShare", Host: "api.clipshare.example",
	})
	in.Judgement.Ladder = 5
	page := string(write(t, reports.FormatHTML, in))
	for level, want := range map[string]bool{"L3": true, "L4": false, "L5": true, "L6": false} {
		if got := regexp.MustCompile(`<div class="rung reached[^"]*"><b>` + level).MatchString(page); got != want {
			t.Errorf("%s is marked: %v", level, got)
		}
	}
}
