package judge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/recording"
)

// What companies hold of a person, and what joins their records: an identifier that two
// were sent, an id that one issued and another was sent. A company's own hosts join nothing.
func TestDossier(t *testing.T) {
	const (
		ssaid = "a3f09c77d2e84b11"
		email = "marigold.kestrel77@example.org"
		user  = "5b8f2f0a-6c1d-4e57-9b1e-2f8a7c3d9e10"
		token = "Zk3vQ9xW_s1LmT7bRyUe2HcJ0oNa4PdG"
	)
	entry := func(second int, method, url, header, body, reply string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-01T12:00:%02dZ","time":20,"request":{"method":%q,"url":%q,"headers":[{"name":"Authorization","value":%q}],"postData":{"mimeType":"application/json","text":%q}},"response":{"status":200,"content":{"text":%q}}}`,
			second, method, url, header, body, reply)
	}
	har := `{"log":{"entries":[` + strings.Join([]string{
		entry(1, "POST", "https://api.thing-one.com/v1/start", "", `{"aid":"`+ssaid+`"}`, `{"user_id":"`+user+`","token":"`+token+`"}`),
		entry(2, "GET", "https://media.thing-one.com/v1/feed", "Bearer "+token, "", `{}`),
		entry(3, "POST", "https://collect.other-two.net/e", "", `{"d":"`+ssaid+`","u":"`+user+`"}`, `{}`),
		entry(4, "POST", "https://app-measurement.com/a", "", `{"m":"`+email+`"}`, `{}`),
	}, ",") + `]}}`
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recording.File(t.Context(), strings.NewReader(har), recording.Options{Name: "x.har", Knowledge: kb.Version(), Identity: canary.Identity{
		Canaries: []canary.Canary{{Kind: "ssaid", Value: ssaid}, {Kind: "email", Value: email}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	j, err := judge.Judge(t.Context(), rec, kb)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range j.Dossier.Companies {
		for _, h := range c.Holds {
			value := h.Value
			if h.What == judge.HeldIssued && h.Kind == judge.IssuedInstallation {
				value = ""
			}
			got = append(got, strings.Join([]string{c.Name, strings.Join(c.Hosts, "+"), string(h.What), h.Kind, value}, " "))
			if h.Event == 0 || !slices.Equal(h.Phases, []string{"recorded"}) {
				t.Errorf("%+v says not when", h)
			}
		}
	}
	google, _ := kb.Owners.Of("app-measurement.com")
	want := []string{
		google.Name() + " app-measurement.com identifier email " + email,
		"other-two.net collect.other-two.net identifier ssaid " + ssaid,
		"other-two.net collect.other-two.net received principal " + user,
		"thing-one.com api.thing-one.com+media.thing-one.com identifier ssaid " + ssaid,
		"thing-one.com api.thing-one.com+media.thing-one.com issued principal " + token,
		"thing-one.com api.thing-one.com+media.thing-one.com issued principal " + user,
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	links := fmt.Sprint(j.Dossier.Links)
	if want := fmt.Sprint([]judge.Link{
		{What: judge.HeldIdentifier, Kind: "ssaid", Value: ssaid, Companies: []string{"other-two.net", "thing-one.com"}},
		{What: judge.HeldIssued, Kind: judge.IssuedPrincipal, Value: user, Companies: []string{"other-two.net", "thing-one.com"}},
	}); links != want {
		t.Errorf("links are\n%s\nwant\n%s", links, want)
	}
}
