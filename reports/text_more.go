package reports

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// How much of the dossier the summary shows.
const (
	textLinks = 12
	textNames = 8 // companies of a link, hosts that SDKs talked to
)

// more are the lines that a finding of something issued has besides: where it went, and which id each run was given.
func (t *text) more(f judge.Finding) []string {
	var out []string
	if w := newWay(t.rec, f); w != nil {
		out = append(out, "way: "+w.line())
	}
	if arms := newArmTable(f); arms != nil {
		out = append(out, "the same letter is the same ID: "+arms.Pattern())
	}
	return out
}

// line is the way in one line: "answer (body, at $.token) → file session.xml → sent back as a bearer token".
func (w *way) line() string {
	var values, stores, uses []string
	for _, v := range w.Values {
		values = add(values, lower(v.What))
	}
	for _, s := range w.Stores {
		stores = add(stores, s.What)
	}
	for _, u := range w.Uses {
		use := u.Use
		if use == "" {
			use = lower(u.What)
		}
		uses = add(uses, use)
	}
	out := "answer (" + strings.Join(values, "; ") + ")"
	if len(stores) > 0 {
		out += " → file " + join(stores, "and")
	}
	if len(uses) > 0 {
		out += " → sent back as " + join(uses, "and")
	}
	return out
}

// dossier says which values join the records of companies, and which code of others was seen talking.
func (t *text) dossier() {
	d := newDossier(t.j, t.findings)
	if len(d.Links) > 0 {
		t.section("What joins the records of companies")
	}
	for i, l := range d.Links {
		if i == textLinks {
			t.printf("  … and %s\n", explain.Count(int64(len(d.Links)-textLinks+d.LeftLinks), "more value", "more values"))
			break
		}
		t.hang("  • ", "    ", fmt.Sprintf("%s: %s", l.What, few(l.Companies)), nil)
	}
	if len(t.j.SDKs) == 0 {
		return
	}
	t.section("Code of others in the app")
	var talking, silent []string
	for _, s := range t.j.SDKs {
		if len(s.Talked) == 0 {
			silent = append(silent, s.Name)
			continue
		}
		var hosts []string
		for _, h := range s.Talked {
			hosts = append(hosts, h.Host)
		}
		talking = append(talking, fmt.Sprintf("%s (%s)", inert.Line(s.Name, 80), few(hosts)))
	}
	for i, s := range talking {
		if i == textHosts {
			t.printf("  … and %s\n", explain.Count(int64(len(talking)-textHosts), "more", "more"))
			break
		}
		t.hang("  • ", "    ", s+": hosts of its maker were talked to", nil)
	}
	if len(silent) > 0 {
		t.hang("  • ", "    ", "not seen talking: "+few(silent), nil)
	}
}

// few names the first of a list and counts the rest.
func few(list []string) string {
	var out []string
	for i, s := range list {
		if i == textNames {
			out = append(out, fmt.Sprintf("%d more", len(list)-i))
			break
		}
		out = append(out, inert.Middle(s, 80))
	}
	return join(out, "and")
}
