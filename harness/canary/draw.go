package canary

import (
	"fmt"
	"strings"
)

const (
	digits   = "0123456789"
	nonzero  = "123456789"
	hexBytes = "0123456789abcdef"
	capitals = "ABCDEFGHJKLMNPRSTUVWXYZ" // without those that look like digits
)

// testTAC begins a type allocation code of test equipment: reporting body 00 of
// GSM Association TS.06, with the test network's 01.
const testTAC = "001010"

// draw makes a value of a kind. It need not be one that is taken: see invent.
func draw(s *source, r role, k Kind) string {
	w := vocabularyOf(r)
	switch k {
	case SSAID:
		return s.from(hexBytes[1:], 1) + s.from(hexBytes, 15) // a leading zero would be dropped by Long.toHexString
	case AdvertisingID:
		return s.from(hexBytes, 8) + "-" + s.from(hexBytes, 4) + "-4" + s.from(hexBytes, 3) + "-" + s.from("89ab", 1) + s.from(hexBytes, 3) + "-" + s.from(hexBytes, 12)
	case Email, ContactEmail:
		return s.one(w.first) + s.one(w.second) + s.from(nonzero, 1) + s.from(digits, 3) + "@" + s.one(w.mail) + ".example"
	case Name, ContactName:
		return s.one(w.given) + " " + s.one(w.family)
	case Phone, ContactPhone:
		return "+1" + s.one(areaCodes) + "55501" + s.from(digits, 1) + s.from(w.lastDigit, 1)
	case IMEI:
		body := testTAC + s.from(digits, 8)
		return body + string(luhnDigit(body))
	case Serial:
		return s.from(nonzero, 1) + s.from(digits, 4) + s.from(capitals, 3) + s.from(digits, 4) + s.from(capitals, 2)
	case MAC:
		b := s.from(hexBytes, 1) + s.from("26ae", 1) // locally administered, one station
		for range 5 {
			b += ":" + s.from(hexBytes, 2)
		}
		return b
	case Location:
		return drawLocation(s, w.towns)
	case CalendarEvent:
		return fmt.Sprintf("%s at %s, room %s", s.one(w.lessons), s.one(w.halls), s.from(nonzero, 1)+s.from(digits, 3))
	case Clipboard:
		return fmt.Sprintf("%s-%s-%s-%s", s.one(w.first), s.from(nonzero, 1)+s.from(digits, 4), s.one(w.second), s.from(capitals, 4))
	case DeviceName:
		return capital(s.one(w.second)) + " phone " + s.from(capitals, 3) + s.from(nonzero, 3)
	}
	return ""
}

// drawLocation is a place within two kilometres of a town's middle, with six
// decimals that don't end in a zero, for programs drop that.
func drawLocation(s *source, towns []town) string {
	t := towns[s.below(len(towns))]
	return near(s, t.lat) + "," + near(s, t.lon)
}

// near is a coordinate up to 0.018 degrees from one that is given in thousandths.
func near(s *source, thousandths int) string {
	micro := (thousandths+s.below(37)-18)*1000 + s.below(1000)
	micro -= micro % 10
	micro += 1 + s.below(9)
	sign := ""
	if micro < 0 {
		sign, micro = "-", -micro
	}
	return fmt.Sprintf("%s%d.%06d", sign, micro/1_000_000, micro%1_000_000)
}

// luhnDigit is the check digit that makes body Luhn-valid (ISO/IEC 7812-1).
func luhnDigit(body string) byte {
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// capital begins an ASCII word with a capital.
func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
