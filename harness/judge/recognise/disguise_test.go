package recognise

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func turned(s string) string {
	b := []rune(s)
	slices.Reverse(b)
	return string(b)
}

func rotated(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return (r-'a'+13)%26 + 'a'
		case r >= 'A' && r <= 'Z':
			return (r-'A'+13)%26 + 'A'
		}
		return r
	}, s)
}

// scanned are the chains under which Scan finds a person's value of a kind in bytes.
func scanned(n *Needles, data []byte, kind canary.Kind) (chains []string) {
	n.Scan(data, func(m Match) {
		if m.Kind == string(kind) && !m.Decoy {
			chains = append(chains, strings.Join(m.Chain, " "))
		}
	})
	return chains
}

// Where nothing can be decoded, or nothing shows that it could, a value is found all the same.
func TestNeedlesInUndecodableSurroundings(t *testing.T) {
	n, _ := tools(t)
	h := func(s string) string { return hex.EncodeToString([]byte(s)) }
	for _, c := range person.Canaries {
		v := c.Value
		for _, d := range []struct{ text, chain string }{
			{v, ""},
			{"~~~" + base64.StdEncoding.EncodeToString([]byte("|"+v+"|z")) + "***", "base64"},
			{"~~~" + base64.URLEncoding.EncodeToString([]byte("a:"+v)), "base64"},
			{"!" + base32.StdEncoding.EncodeToString([]byte("ab|"+v+"|y")) + "!", "base32"},
			{"(" + h(v) + ")", "hex"}, {"(" + strings.ToUpper(h(v)) + ")", "hex"},
			{utf16le(v), "utf-16le"}, {turned(v), "reversed"},
			{turned(b64(v)), "reversed base64"}, {turned(h(v)), "reversed hex"},
			{rotated(h(v)), "rot13 hex"}, {rotated(b64(v)), "rot13 base64"},
		} {
			if strings.HasPrefix(d.chain, "rot13") && rotated(d.text) == d.text {
				continue // there is nothing to rotate
			}
			for _, around := range []string{"%s", "\xff\x01%s\x02\xfe", `{"x":"%s"}`} {
				if got := scanned(n, fmt.Appendf(nil, around, d.text), c.Kind); !slices.Contains(got, d.chain) {
					t.Errorf("%s as %q: %q, want %q", c.Kind, d.text, got, d.chain)
				}
			}
		}
	}
}

// Every digest in every form, whole and cut off, of values, of encoded values and of digests.
func TestDigests(t *testing.T) {
	n, o := tools(t)
	for i, c := range person.Canaries {
		for j, s := range sums {
			if (i+j)%3 != 0 {
				continue // every pair of two, and a third of the triples
			}
			for _, inner := range []struct {
				of    func(string) string
				chain string
			}{
				{func(v string) string { return v }, ""},
				{b64, " base64"},
				{func(v string) string { return hex.EncodeToString([]byte(v)) }, " hex"},
				{func(v string) string { x := md5.Sum([]byte(v)); return hex.EncodeToString(x[:]) }, " md5 hex"},
				{func(v string) string { x := sha512.Sum512([]byte(v)); return string(x[:]) }, " sha512 raw"},
			} {
				d := s.of(nil, []byte(inner.of(c.Value)))
				digits := hex.EncodeToString(d)
				for text, form := range map[string]string{
					digits: "hex", strings.ToUpper(digits): "hex", digits[:16]: "hex",
					"sha256-" + b64(string(d)): "base64", base64.RawURLEncoding.EncodeToString(d): "base64",
				} {
					want := strings.Split(s.name+" "+form+inner.chain, " ")
					hits := hitsIn(n, o, body(fmt.Sprintf(`{"a":1,"v":%q}`, text)))
					if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Kind == string(c.Kind) && slices.Equal(h.Chain, want) }) {
						t.Errorf("%s as %s %q: %+v, want %v", c.Kind, s.name, text, hits, want)
					}
				}
			}
		}
	}
	// The middle of MD5 is a short digest of its own.
	x := md5.Sum([]byte(person.Value(canary.SSAID)))
	if hits := hitsIn(n, o, body(`{"v":"`+hex.EncodeToString(x[4:12])+`"}`)); len(hits) != 1 || hits[0].Chain[0] != "md5" {
		t.Errorf("the middle of MD5: %+v", hits)
	}
	// One digit of sixteen is another: no digest.
	if hits := hitsIn(n, o, body(`{"v":"`+hex.EncodeToString(x[:7])+`00"}`)); len(hits) != 0 {
		t.Errorf("fifteen digits: %+v", hits)
	}
}

func TestRawValues(t *testing.T) {
	n, _ := tools(t)
	number := func(kind canary.Kind) (v uint64) { v, _ = strconv.ParseUint(person.Value(kind), 10, 64); return v }
	digits := func(kind canary.Kind) []byte {
		b, err := hex.DecodeString(strings.NewReplacer("-", "", ":", "").Replace(person.Value(kind)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	imei := number(canary.IMEI)
	for name, c := range map[string]struct {
		kind canary.Kind
		raw  []byte
	}{
		"UUID":         {canary.AdvertisingID, digits(canary.AdvertisingID)},
		"Android ID":   {canary.SSAID, digits(canary.SSAID)},
		"MAC":          {canary.MAC, digits(canary.MAC)},
		"varint":       {canary.IMEI, binary.AppendUvarint(nil, imei)},
		"fixed64":      {canary.IMEI, binary.LittleEndian.AppendUint64(nil, imei)},
		"network":      {canary.IMEI, binary.BigEndian.AppendUint64(nil, imei)},
		"double":       {canary.IMEI, binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(imei)))},
		"sha256, raw":  {canary.Email, sums[0].of(nil, []byte(person.Value(canary.Email)))},
		"ripemd160":    {canary.Email, sums[9].of(nil, []byte(person.Value(canary.Email)))},
		"latitude E7":  {canary.Location, e7()},
		"two doubles ": {canary.Location, doubles()},
	} {
		for _, around := range [][2]string{{"\x0a\x10", "\x12\x00"}, {"\xff\x00\x01\x02\x03", "\x80"}, {"\x08", ""}} {
			if got := scanned(n, []byte(around[0]+string(c.raw)+around[1]), c.kind); len(got) == 0 {
				t.Errorf("%s between %q is not found", name, around)
			}
		}
	}
	// Six bytes that spell a word of a text are no MAC address.
	text := "the quick brown fox" + string(digits(canary.MAC)[:5]) + " jumps over"
	if got := scanned(n, []byte(text), canary.MAC); len(got) != 0 {
		t.Errorf("five bytes of six: %v", got)
	}
}

func e7() []byte {
	lat, lon, _ := coordinates(person.Value(canary.Location))
	b := binary.LittleEndian.AppendUint32(nil, uint32(int32(math.Round(lat*1e7))))
	return binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(lon*1e7))))
}

func doubles() []byte {
	lat, lon, _ := coordinates(person.Value(canary.Location))
	b := append(binary.LittleEndian.AppendUint64([]byte{9}, math.Float64bits(lat)), 0x11)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(lon))
}

func TestSaltsOfTheMessageAndFixedOnes(t *testing.T) {
	n, o := tools(t)
	mail := person.Value(canary.Email)
	keyed := hmac.New(sha256.New, []byte("k3y-of-this-request"))
	keyed.Write([]byte(mail))
	sum := func(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }
	short := md5.Sum([]byte(mail + ":1718000000123"))
	for name, c := range map[string]struct {
		m     unwrap.Message
		chain string
	}{
		"in a header":      {unwrap.Message{URL: "https://a.example/", Headers: []flow.Header{{Name: "X-Nonce", Value: "n0nce-77120"}}, Body: []byte(`{"h":"` + sum("n0nce-77120"+mail) + `"}`)}, "sha256 hex"},
		"behind":           {body(`{"ts":1718000000123,"h":"` + hex.EncodeToString(short[:]) + `"}`), "md5 hex"},
		"HMAC":             {body(`{"key":"k3y-of-this-request","sig":"` + hex.EncodeToString(keyed.Sum(nil)) + `"}`), "hmac-sha256 hex"},
		"HMAC in base64":   {body(`{"key":"k3y-of-this-request","sig":"` + b64(string(keyed.Sum(nil))) + `"}`), "hmac-sha256 base64"},
		"in the query":     {unwrap.Message{URL: "https://a.example/?s=pepper99&h=" + sum("pepper99|"+mail)}, "sha256 hex"},
		"that many share":  {body(`{"h":"` + sum("QX4QkKEU"+mail) + `"}`), "sha256 hex"},
		"of another value": {body(`{"s":"n0nce-77121","h":"` + sum("n0nce-77120"+mail) + `"}`), ""},
	} {
		hits := hitsIn(n, o, c.m)
		switch {
		case c.chain == "" && len(hits) > 0:
			t.Errorf("a salt %s: %+v", name, hits)
		case c.chain != "" && (len(hits) != 1 || hits[0].Kind != "email" || strings.Join(hits[0].Chain, " ") != c.chain || hits[0].Confidence > 0.95):
			t.Errorf("a salt %s: %+v, want %s", name, hits, c.chain)
		}
	}
}

func TestSaltsOfTheApp(t *testing.T) {
	n, o := tools(t)
	c := n.Collector()
	x := sha256.Sum256([]byte("s3cret-of-the-apk" + person.Value(canary.Email)))
	o.Walk(body(`{"h":"`+hex.EncodeToString(x[:])+`","trace":"4bf92f3577b34da6a3ce929d0e0e4736"}`), c.Part)
	if hits := c.Hits(); len(hits) != 0 {
		t.Fatalf("nothing explains it: %+v", hits)
	}
	tokens := c.Unexplained()
	if len(tokens) != 2 {
		t.Fatalf("%d tokens: %+v", len(tokens), tokens)
	}
	var hits []Hit
	left := n.Salted(tokens, slices.Values([]string{"onCreate", "s3cret-of-the-apk", "x"}), func(i int, h Hit) {
		if tokens[i].Surface != h.Surface {
			t.Errorf("token %d stands in %s, the hit in %s", i, tokens[i].Surface, h.Surface)
		}
		hits = append(hits, h)
	})
	if left != 0 || len(hits) != 1 || hits[0].Kind != "email" || !strings.Contains(hits[0].Reason, "a text of the app") {
		t.Errorf("%d left, %+v", left, hits)
	}
}

func TestXOR(t *testing.T) {
	n, o := tools(t)
	mask := func(s string, key ...byte) string {
		b := []byte(s)
		for i := range b {
			b[i] ^= key[i%len(key)]
		}
		return string(b)
	}
	for _, c := range person.Canaries {
		for _, key := range []byte{1, 0x5a, 0xff} {
			hits := hitsIn(n, o, body("\x00\x01\xfe"+mask(`{"id":"`+c.Value+`"}`, key)))
			if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Kind == string(c.Kind) && slices.Contains(h.Chain, "xor") }) {
				t.Errorf("%s under %#x: %+v", c.Kind, key, hits)
			}
		}
		secret := mask(`{"id":"`+c.Value+`"}`, []byte("4f0c-key")...)
		m := unwrap.Message{URL: "https://a.example/?k=4f0c-key", Body: []byte(secret)}
		collector := n.Collector().Opening(o)
		o.Walk(m, collector.Part)
		if hits := collector.Hits(); !slices.ContainsFunc(hits, func(h Hit) bool { return h.Kind == string(c.Kind) && slices.Contains(h.Chain, "xor") }) {
			t.Errorf("%s under a key of the message: %+v", c.Kind, hits)
		}
	}
}

// A digest of 32 bits is a hit with a second sign, and only so.
func TestWeakDigests(t *testing.T) {
	n, o := tools(t)
	crc := func(k canary.Kind) string {
		return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(person.Value(k))))
	}
	for text, want := range map[string]int{
		`{"v":"` + crc(canary.SSAID) + `"}`:                                               0,
		`{"crc32":"` + crc(canary.SSAID) + `"}`:                                           1,
		`{"a":"` + crc(canary.SSAID) + `","b":"` + crc(canary.Email) + `"}`:               2,
		`{"a":"` + crc(canary.SSAID) + `","b":"` + person.Value(canary.SSAID) + `"}`:      2,
		fmt.Sprintf(`{"crc":%d}`, crc32.ChecksumIEEE([]byte(person.Value(canary.SSAID)))): 1,
		`{"crc32":"` + fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte("somebody"))) + `"}`: 0,
		`{"a":"` + crc(canary.SSAID) + `-0000","b":"` + person.Value(canary.Email) + `"}`: 1,
	} {
		hits := hitsIn(n, o, body(text))
		if len(hits) != want {
			t.Errorf("%s: %+v, want %d", text, hits, want)
		}
		for _, h := range hits {
			if slices.Contains(h.Chain, "crc32") && (h.Confidence > 0.6 || h.Reason == "") {
				t.Errorf("%s: %v %q", text, h.Confidence, h.Reason)
			}
		}
	}
}

// A kind that the knowledge does not list is spelled as its shape says.
func TestShapes(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	_, o := tools(t)
	for value, spelled := range map[string][]string{
		"6f1c2d3e-4a5b-4c6d-9e8f-0a1b2c3d4e5f": {"6F1C2D3E4A5B4C6D9E8F0A1B2C3D4E5F", "{6F1C2D3E-4A5B-4C6D-9E8F-0A1B2C3D4E5F}"},
		"6f1c2d3e4a5b4c6d9e8f0a1b2c3d4e5f":     {"6f1c2d3e-4a5b-4c6d-9e8f-0a1b2c3d4e5f"},
		"3e:0f:18:6c:a7:b0":                    {"3E-0F-18-6C-A7-B0", "3e0f186ca7b0", "3e0f.186c.a7b0"},
		"Mira.Lind+shop@Mail.example":          {"mira.lind+shop@mail.example", "miralind+shop@mail.example", "miralind@mail.example"},
		"+49 1512 3456789":                     {"4915123456789", "015123456789", "+4915123456789"},
		"48.137154,11.576124":                  {"11.576124,48.137154", "48.1372,11.5761"},
		"Mira Lindqvist":                       {"MIRA LINDQVIST", "miralindqvist"},
	} {
		n, refused, err := Build([]Planted{{Identity: canary.Identity{Canaries: []canary.Canary{{Kind: "thing", Value: value}}}}}, kb)
		if err != nil || len(refused) > 0 {
			t.Fatalf("%v, %v", refused, err)
		}
		for _, s := range spelled {
			x := sha256.Sum256([]byte(s))
			for _, text := range []string{s, hex.EncodeToString(x[:])} {
				if hits := hitsIn(n, o, body(fmt.Sprintf(`{"v":%q}`, text))); len(hits) == 0 {
					t.Errorf("%q spelled %q is not found as %s", value, s, text)
				}
			}
		}
	}
}

// What a lawful app sends: ids of traces, cookies against robots, models, locales, tokens.
func TestOrdinaryTrafficIsNoHit(t *testing.T) {
	n, o := tools(t)
	m := unwrap.Message{
		URL: "https://api.example/v2/config?locale=en_US&model=Pixel+7&v=14.2.1&app_user_id=0&adid=00000000-0000-0000-0000-000000000000",
		Headers: []flow.Header{
			{Name: "traceparent", Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
			{Name: "Cookie", Value: "__cf_bm=Zv9x.k3Jm2Q7aLr1wYpT8uHc5NfGd0sVb4EiXoRzKj6-1718000000-1.0.1.1-AbCdEfGhIjKl; AWSALB=9xKd3mVq7LrT1wYpZ8uHc5NfGd0sVb4EiXoRzKj6; __cfduid=d41d8cd98f00b204e9800998ecf8427e01718000000"},
			{Name: "X-CSRF-Token", Value: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
			{Name: "X-Api-Key", Value: "AIzaSyA1234567890abcdefghijklmnopqrstuv"},
		},
		Body: []byte(`{"token":"fcm:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_PK3cQ9vjw8dVf2WsqT6yXz0aBcDeFgHiJkLmNoP","android_id":"9774d56d682e549c","mac":"02:00:00:00:00:00","imei":"358240051111110","bucket":17,"ab":"variant_b","lat":48.1,"lon":11.5}`),
	}
	if hits := hitsIn(n, o, m); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
	// The control: the same message with one value of the person's in it.
	m.Body = bytes.Replace(m.Body, []byte("9774d56d682e549c"), []byte(person.Value(canary.SSAID)), 1)
	if hits := hitsIn(n, o, m); len(hits) != 1 {
		t.Errorf("the control: %+v", hits)
	}
	// Random traffic, as text and as bytes.
	for _, data := range [][]byte{traffic(4 << 20), binaryData(4 << 20)} {
		n.Scan(data, func(m Match) { t.Errorf("%+v in random traffic", m) })
	}
}

// Random data does no harm, and what is planted in it is found.
func FuzzScan(f *testing.F) {
	n, o := tools(f)
	f.Add([]byte(`{"id":"`), []byte(`"}`), uint64(1))
	f.Add([]byte("\x1f\x8b\x08"), []byte("=="), uint64(2))
	f.Add([]byte("aGVsbG8gd29ybGQgaGVsbG8/"), []byte("deadbeefdeadbeefdeadbeef"), uint64(3))
	f.Fuzz(func(t *testing.T, before, after []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := person.Canaries[r.IntN(len(person.Canaries))]
		x := sha256.Sum256([]byte(c.Value))
		for _, planted := range []string{c.Value, b64(c.Value), string(x[:])} {
			// Neighbours that could belong to the value make it a piece of another.
			data := slices.Concat(before, []byte(" "), []byte(planted), []byte(" "), after)
			if len(scanned(n, data, c.Kind)) == 0 {
				t.Errorf("%s as %q between %q and %q is not found", c.Kind, planted, before, after)
			}
			collector := n.Collector().Opening(o)
			o.Walk(body(string(data)), collector.Part)
			collector.Hits()
		}
	})
}
