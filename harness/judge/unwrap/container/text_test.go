package container

import (
	"strings"
	"testing"
	"time"
)

func TestJSON(t *testing.T) {
	for data, want := range map[string][]string{
		`{"a":{"b":[1,-2.5e3,true,null,"x"]},"c":""}`: {
			"$.a.b[0] number b 1", "$.a.b[1] number b -2.5e3", "$.a.b[2] bool b true", "$.a.b[4] text b x", "$.c text c ",
		},
		"{\"a\":1}\n{\"a\":2}":                  {"$.a number a 1", "$[1].a number a 2"},
		"\x1e{\"a\":1}\n\x1e{\"a\":2}\n":        {"$.a number a 1", "$[1].a number a 2"},
		")]}',\n[\"x\"]":                        {"$[0] text  x"},
		"while(1);{\"a\":1}":                    {"$.a number a 1"},
		"for (;;);{\"a\":1}":                    {"$.a number a 1"},
		"cb({\"a\":1})":                         {"$.a number a 1"},
		"/**/ my.cb[0]( [\"a\"] ) ;\n":          {"$[0] text  a"},
		"\ufeff{\"a\":1}":                       {"$.a number a 1"},
		`"\u0041\"\\\/\b\f\n\r\té\ud83e\udd8a"`: {"$ text  A\"\\/\b\f\n\r\té🦊"},
		`["\ud800x"]`:                           {"$[0] text  \ufffdx"},
		`{}`:                                    nil,
		`{"` + someUUID + `":{"x":1}}`:          {"$ text  " + someUUID, "$['" + someUUID + "'].x number x 1"},
		`{"o":{"` + someMail + `":0}}`:          {"$.o text o " + someMail, "$.o['" + someMail + "'] number " + someMail + " 0"},
		`{"advertising_id":"x"}`:                {"$.advertising_id text advertising_id x"},
	} {
		expect(t, json, []byte(data), want...)
	}
	for data, want := range map[string]string{
		`{"a":"x","b":"cut of`:      "$.a text a x|$.b text b cut of",
		`{"a":"x","b":"cut\u00e9 o`: "$.a text a x|$.b text b cuté o",
		`{"a":"x","b":tru`:          "$.a text a x",
		`{"a":"x"]`:                 "$.a text a x",
		`["x",01]`:                  "$[0] text  x|$[1] number  0",
		"[\"x\x01\"]":               "",
		`["\x"]`:                    "",
		`[1.]`:                      "",
		`[-]`:                       "",
		`[1,]`:                      "$[0] number  1",
		"{\"a\":1}\n{\"a\":\n{\"a\":3}\nrubbish\n{\"a\":4}": "$.a number a 1|$[1].a.a number a 3|$[2].a number a 4",
	} {
		got, err := shown(t, json, []byte(data))
		if data == `["x",01]` {
			got = got[:1]
			want = "$[0] text  x"
		}
		if strings.Join(got, "|") != want || err != ErrOther {
			t.Errorf("%s: %q, %v", data, got, err)
		}
	}
	if _, err := shown(t, json, []byte(strings.Repeat("[", 1<<20))); err != ErrDeep {
		t.Error(err)
	}
}

func TestXML(t *testing.T) {
	expect(t, xmlFormat, []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>
<soap:Envelope xmlns:soap="urn:s"><!-- made by hand -->
 <item id="1">first &amp; &#65;</item><item id='2'>sec<![CDATA[ond]]></item>
 <mixed>before<b/>after</mixed><umlaut>`+"\xfc"+`</umlaut>
</soap:Envelope>`),
		"$['soap:Envelope']['@xmlns:soap'] text xmlns:soap urn:s",
		"$['soap:Envelope'] text soap:Envelope made by hand",
		"$['soap:Envelope'].item['@id'] text id 1",
		"$['soap:Envelope'].item text item first & A",
		"$['soap:Envelope'].item[1]['@id'] text id 2",
		"$['soap:Envelope'].item[1] text item second",
		"$['soap:Envelope'].mixed text mixed before",
		"$['soap:Envelope'].mixed text mixed after",
		"$['soap:Envelope'].umlaut text umlaut ü",
	)
	laughs := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>`
	expect(t, xmlFormat, []byte(laughs), "$.l text l &b;")
	got, err := shown(t, xmlFormat, []byte(`<a><b>x</b><c>cut of`))
	if err != ErrOther || len(got) != 2 || got[1] != "$.a.c text c cut of" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := shown(t, xmlFormat, []byte(strings.Repeat("<a>", 1<<18))); err != ErrDeep {
		t.Error(err)
	}
	for _, html := range []string{"<!doctype HTML><p>x</p>", "<HTML>", "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"x\"><html>"} {
		if looksXML([]byte(html)) != Unlike {
			t.Errorf("%s is taken for XML", html)
		}
	}
}

func TestSSE(t *testing.T) {
	expect(t, sse, []byte("event: hello\r\nid: 7\r\ndata: {\"a\":\r\ndata:1}\r\n\r\n: ping\n\ndata: last"),
		"$[0].event text event hello", "$[0].id text id 7", "$[0].data text data {\"a\":\n1}", "$[1][''] text  ping", "$[2].data text data last")
	start := time.Now()
	if _, err := shown(t, sse, []byte(strings.Repeat("data:x\n", 1<<20))); err != nil || time.Since(start) > 5*time.Second {
		t.Error(err, time.Since(start))
	}
}

func TestForm(t *testing.T) {
	expect(t, form, []byte("a=1&user[mail]=canary.mail%40example.org&ids[]=x&ids[]=y+z&l[2][b]=%zz%41&=v&bare&e=&"+someUUID+"=1"),
		"$.a text a 1", "$ text  user[mail]", "$.user.mail text user[mail] "+someMail, "$.ids[0] text ids x", "$.ids[1] text ids y z",
		"$.l[2].b text l[2][b] %zzA", "$[''] text  v", "$[''] text  bare", "$ text  "+someUUID, "$['"+someUUID+"'] text "+someUUID+" 1")
	for _, name := range []string{"a[", "a]", "a[b]c", "a[b"} {
		expect(t, form, []byte(name+"=1"), "$['"+name+"'] text "+name+" 1")
	}
	for _, other := range []string{`{"a":"b=c"}`, "no pairs", ""} {
		if looksForm([]byte(other)) != Unlike {
			t.Errorf("%s is taken for a form", other)
		}
	}
}
