package canary

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// seeds yields many seeds, short and long.
func seeds(n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range n {
			seed := binary.BigEndian.AppendUint32(make([]byte, i%40), uint32(i))
			if !yield(seed) {
				return
			}
		}
	}
}

func TestEveryKindIsThereOnceAndRecognisable(t *testing.T) {
	for seed := range seeds(400) {
		for _, id := range []Identity{Derive(seed, "X"), Decoys(seed, "X")} {
			if len(id.Canaries) != len(Kinds()) {
				t.Fatalf("%d values, want %d", len(id.Canaries), len(Kinds()))
			}
			for i, c := range id.Canaries {
				if c.Kind != Kinds()[i] || id.Value(c.Kind) != c.Value {
					t.Errorf("value %d is %v", i, c)
				}
				if err := Refuse(c); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// Independent forms, so that a slip in Refuse's own does not hide one in draw.
func TestValuesAreReservedForFiction(t *testing.T) {
	fiction := map[Kind]*regexp.Regexp{
		Phone:        regexp.MustCompile(`^\+1[2-9]\d\d55501\d\d$`),
		ContactPhone: regexp.MustCompile(`^\+1[2-9]\d\d55501\d\d$`),
		Email:        regexp.MustCompile(`^[a-z]+\d{4}@[a-z]+\.example$`),
		ContactEmail: regexp.MustCompile(`^[a-z]+\d{4}@[a-z]+\.example$`),
		IMEI:         regexp.MustCompile(`^001010\d{9}$`),
	}
	for seed := range seeds(100) {
		for _, id := range []Identity{Derive(seed, "X"), Decoys(seed, "X")} {
			for kind, form := range fiction {
				if !form.MatchString(id.Value(kind)) {
					t.Errorf("%s is %q", kind, id.Value(kind))
				}
			}
			var first byte
			if _, err := fmt.Sscanf(id.Value(MAC), "%02x:", &first); err != nil || first&3 != 2 {
				t.Errorf("MAC %s is not a locally administered station's", id.Value(MAC))
			}
			sum := 0
			for i, r := range id.Value(IMEI) { // Luhn, written the other way round
				d := int(r - '0')
				if i%2 == 1 {
					d *= 2
				}
				sum += d/10 + d%10
			}
			if sum%10 != 0 {
				t.Errorf("IMEI %s is not Luhn-valid", id.Value(IMEI))
			}
		}
	}
}

func TestDecoysKeepApart(t *testing.T) {
	for seed := range seeds(300) {
		x, y, decoys := Derive(seed, "X"), Derive(seed, "Y"), Decoys(seed, "X")
		for i, d := range decoys.Canaries {
			for _, c := range slices.Concat(x.Canaries, y.Canaries) {
				if overlaps(c.Value, d.Value) || clash(c, d) {
					t.Errorf("seed %x: decoy %v can be taken for canary %v", seed, d, c)
				}
			}
			for _, other := range decoys.Canaries[i+1:] {
				if overlaps(d.Value, other.Value) {
					t.Errorf("seed %x: decoys %v and %v can be taken for each other", seed, d, other)
				}
			}
		}
		for i, c := range x.Canaries {
			for _, other := range x.Canaries[i+1:] {
				if overlaps(c.Value, other.Value) {
					t.Errorf("seed %x: canaries %v and %v can be taken for each other", seed, c, other)
				}
			}
			if y.Canaries[i].Value == c.Value {
				t.Errorf("seed %x: X and Y share %v", seed, c)
			}
		}
	}
}

// overlaps is a plain reading of "equal or contained", in the ways in which
// values get rewritten: case, separators, digits only, letters only.
func overlaps(a, b string) bool {
	keep := func(s string, in func(rune) bool) string {
		return strings.Map(func(r rune) rune {
			if in(r) {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' }
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	both := func(r rune) bool { return letter(r) || digit(r) }
	for _, in := range []func(rune) bool{both, digit, letter} {
		x, y := keep(a, in), keep(b, in)
		if min(len(x), len(y)) > 8 && (strings.Contains(x, y) || strings.Contains(y, x)) {
			return true
		}
	}
	return false
}

// The roles' words must share nothing, or the ranges would not be disjoint.
func TestVocabulariesAreDisjoint(t *testing.T) {
	all := func(v vocabulary) []string {
		return slices.Concat(v.given, v.family, v.first, v.second, v.mail, v.lessons, v.halls)
	}
	for _, a := range all(plantedWords) {
		for _, b := range all(decoyWords) {
			if x, y := normalise(a), normalise(b); strings.Contains(x, y) || strings.Contains(y, x) {
				t.Errorf("%q and %q", a, b)
			}
		}
	}
	if strings.ContainsAny(plantedWords.lastDigit, decoyWords.lastDigit) {
		t.Errorf("telephone numbers may end in %s and in %s", plantedWords.lastDigit, decoyWords.lastDigit)
	}
	for _, a := range plantedWords.towns {
		for _, b := range decoyWords.towns {
			if max(a.lat-b.lat, b.lat-a.lat) < 500 && max(a.lon-b.lon, b.lon-a.lon) < 500 {
				t.Errorf("towns %v and %v are neighbours", a, b)
			}
		}
	}
}

// Even where the ranges would let it happen, no value clashes with one that is to
// be avoided.
func TestWhatIsToBeAvoidedIs(t *testing.T) {
	for seed := range seeds(50) {
		first := invent(seed, "X", decoy, nil)
		second := invent(seed, "X", decoy, first.Canaries)
		for _, c := range second.Canaries {
			if clashesWithAny(c, first.Canaries) {
				t.Errorf("seed %x: %v was to be avoided", seed, c)
			}
		}
	}
}

// The values of one seed, for all time: an old audit must be repeatable with a
// new version of the program. A change here is a change of identities.
func TestIdentitiesStayAsTheyAre(t *testing.T) {
	id := Derive([]byte("the seed of this test"), "X")
	want := Identity{Label: "X", Canaries: []Canary{
		{SSAID, "753b11840c754a7b"}, {AdvertisingID, "2a590b50-c00c-41c1-807d-71bbc6891404"},
		{Email, "copperpelican8775@kitepost.example"}, {Name, "Erasmus Okonjowell"}, {Phone, "+19365550162"},
		{IMEI, "001010648496246"}, {Serial, "99185BCL8375LS"}, {MAC, "3e:0f:18:6c:a7:b0"},
		{Location, "38.250486,-85.743077"}, {ContactEmail, "lanternbobbin4345@briefkiste.example"},
		{ContactPhone, "+13255550134"}, {ContactName, "Henrietta Ravensborough"},
		{CalendarEvent, "Fencing practice at Old Tannery, room 5518"}, {Clipboard, "russet-55909-gantry-NRRA"},
		{DeviceName, "Goblet phone BKB355"},
	}}
	if !slices.Equal(id.Canaries, want.Canaries) {
		t.Errorf("the identity is %v", id.Canaries)
	}
	if again := Derive([]byte("the seed of this test"), "X"); !slices.Equal(again.Canaries, id.Canaries) {
		t.Error("the same seed and label gave another identity")
	}
	if other := Derive([]byte("the seed of that test"), "X"); other.Value(SSAID) == id.Value(SSAID) {
		t.Error("another seed gave the same identity")
	}
}

func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		kind  Kind
		value string
		why   string // "" for none
	}{
		{SSAID, "9774d56d682e549c", "share"},
		{SSAID, "aaaaaaaaaaaaaaaa", "different characters"},
		{SSAID, "0d5b1f9c3a7e2468", "first no zero"},
		{SSAID, "8d5b1f9c3a7e2468", ""},
		{AdvertisingID, "00000000-0000-0000-0000-000000000000", "share"},
		{AdvertisingID, "6f1c2d3e-4a5b-1c6d-9e8f-0a1b2c3d4e5f", "version 4"},
		{MAC, "02:00:00:00:00:00", "share"},
		{MAC, "00:1a:2b:3c:4d:5e", "locally administered"},
		{Phone, "+5550143", "ten digits"},
		{Phone, "12345678", "eight digits"},
		{Phone, "+15555215554", "share"},
		{IMEI, "358240051111110", "share"},
		{IMEI, "001010123456789", "Luhn"},
		{IMEI, "00101012", "eight digits"},
		{Serial, "unknown", "share"},
		{Serial, "ABCDEFGHIJKL", "letters and digits"},
		{Name, "John Smith", "share"},
		{Name, "Li Wu", "family name"},
		{Email, "test@mail.example", "ten characters"},
		{Location, "37.421998,-122.084000", "share"},
		{Location, "0.123456,0.654321", "for none"},
		{Location, "48.111111,11.222222", "different characters"},
		{Location, "48.131,11.57", "six decimals"},
		{Location, "98.131234,11.572341", "nowhere"},
		{Clipboard, "hello", "16 characters"},
		{"shoe_size", "44", "no such kind"},
		{ContactName, "Ottilie Brandewin", ""},
	} {
		err := Refuse(Canary{Kind: test.kind, Value: test.value})
		switch {
		case test.why == "" && err != nil:
			t.Error(err)
		case test.why != "" && (err == nil || !strings.Contains(err.Error(), test.why)):
			t.Errorf("Refuse(%s %q) = %v, want it to say %q", test.kind, test.value, err, test.why)
		}
	}
}
