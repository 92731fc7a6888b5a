package canary

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Refuse says why a value can't serve as a canary: it is too short, too common
// or not of its kind's form, so that to find it in traffic would prove nothing.
// It returns nil for a value that can.
func Refuse(c Canary) error {
	if err := refuse(c); err != nil {
		return fmt.Errorf("%s %q can't be a canary: %w", c.Kind, c.Value, err)
	}
	return nil
}

// form says what a value of a kind looks like, and how many different
// characters it needs so as not to be 1111…
type form struct {
	pattern  *regexp.Regexp
	looks    string // the pattern in words
	distinct int
}

var forms = map[Kind]form{
	SSAID:         {regexp.MustCompile(`^[1-9a-f][0-9a-f]{15}$`), "16 hexadecimal digits, the first no zero", 6},
	AdvertisingID: {regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), "a random UUID (version 4)", 8},
	Email:         {regexp.MustCompile(`^[a-z][a-z0-9._-]{9,}@[a-z0-9-]{4,}(\.[a-z0-9-]+)*\.[a-z]{2,}$`), "an address with ten characters or more before the @", 8},
	Name:          {regexp.MustCompile(`^\pL{4,} \pL{5,}$`), "a given and a family name of four and five letters or more", 6},
	Phone:         {regexp.MustCompile(`^\+[1-9][0-9]{9,14}$`), "a number with its country's code, of ten digits or more", 4},
	IMEI:          {regexp.MustCompile(`^[0-9]{15}$`), "15 digits", 5},
	Serial:        {regexp.MustCompile(`^[0-9A-Z]{10,}$`), "ten capitals and digits or more", 6},
	MAC:           {regexp.MustCompile(`^[0-9a-f][26ae](:[0-9a-f]{2}){5}$`), "a locally administered address with colons", 6},
	Location:      {regexp.MustCompile(`^-?[0-9]{1,2}\.[0-9]{5}[1-9],-?[0-9]{1,3}\.[0-9]{5}[1-9]$`), "latitude and longitude with six decimals, the last no zero", 6},
	CalendarEvent: {regexp.MustCompile(`^.{20,}$`), "20 characters or more", 8},
	Clipboard:     {regexp.MustCompile(`^.{16,}$`), "16 characters or more", 8},
	DeviceName:    {regexp.MustCompile(`^.{12,}$`), "12 characters or more", 6},
}

// common are values that many devices share, in normal form.
var common = []string{
	"9774d56d682e549c",                 // the SSAID of a maker's faulty Android 2.2, copied into countless tests
	"00000000000000000000000000000000", // the advertising id of somebody who limits tracking
	"020000000000", "ffffffffffff", "000000000000",
	"358240051111110", "000000000000000", // emulators' IMEIs
	"15555215554", "15555218135", // emulators' numbers
	"0123456789abcdef", "emulator35x2x10x0", "unknown",
	"37421998122084000", "37422122084", // emulators' default place
	"johndoe", "janedoe", "johnsmith", "maxmustermann", "testuser",
}

func refuse(c Canary) error {
	f, ok := forms[sameForm(c.Kind)]
	if !ok {
		return errors.New("no such kind")
	}
	normal := normalise(c.Value)
	if slices.Contains(common, normal) {
		return errors.New("many devices share it")
	}
	if _, err := strconv.ParseUint(c.Value, 10, 64); err == nil && len(c.Value) <= 8 {
		return errors.New("numbers of eight digits or fewer occur by chance")
	}
	if !f.pattern.MatchString(c.Value) {
		return fmt.Errorf("it must be %s", f.looks)
	}
	if n := distinct(normal); n < f.distinct {
		return fmt.Errorf("it has %d different characters and needs %d", n, f.distinct)
	}
	switch sameForm(c.Kind) {
	case IMEI:
		if luhnDigit(c.Value[:14]) != c.Value[14] {
			return errors.New("its check digit is wrong (Luhn)")
		}
	case Serial:
		if !strings.ContainsAny(c.Value, digits) || strings.Trim(c.Value, digits) == "" {
			return errors.New("it must have letters and digits")
		}
	case Location:
		return refuseLocation(c.Value)
	}
	return nil
}

// sameForm is the kind whose form a kind shares.
func sameForm(k Kind) Kind {
	switch k {
	case ContactEmail:
		return Email
	case ContactPhone:
		return Phone
	case ContactName:
		return Name
	}
	return k
}

func refuseLocation(v string) error {
	lat, lon := position(v)
	switch {
	case lat < -90 || lat > 90 || lon < -180 || lon > 180:
		return errors.New("it is nowhere on Earth")
	case lat > -1 && lat < 1 && lon > -1 && lon < 1:
		return errors.New("it is the place that programs use for none")
	}
	for part := range strings.SplitSeq(v, ",") {
		_, decimals, _ := strings.Cut(part, ".")
		if distinct(decimals) < 3 {
			return fmt.Errorf("%s is too round", part)
		}
	}
	return nil
}

// position reads "LATITUDE,LONGITUDE"; what is no number is 0.
func position(v string) (lat, lon float64) {
	a, b, _ := strings.Cut(v, ",")
	lat, _ = strconv.ParseFloat(a, 64)
	lon, _ = strconv.ParseFloat(b, 64)
	return lat, lon
}

// normalise keeps letters and digits, in lower case.
func normalise(v string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, v)
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}
