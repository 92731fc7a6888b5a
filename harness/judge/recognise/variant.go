package recognise

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// variants are the ways to spell a value, by the names that the knowledge uses.
// A way that does not apply to a value gives "".
var variants = map[string]func(value string, d *knowledge.Disguises) string{
	"identity": func(v string, _ *knowledge.Disguises) string { return v },
	"lower":    func(v string, _ *knowledge.Disguises) string { return strings.ToLower(v) },
	"upper":    func(v string, _ *knowledge.Disguises) string { return strings.ToUpper(v) },
	"mail":     func(v string, _ *knowledge.Disguises) string { return strings.ToLower(strings.TrimSpace(v)) },

	"no-separators":        func(v string, _ *knowledge.Disguises) string { return bare(v) },
	"no-separators-lower":  func(v string, _ *knowledge.Disguises) string { return strings.ToLower(bare(v)) },
	"no-separators-upper":  func(v string, _ *knowledge.Disguises) string { return strings.ToUpper(bare(v)) },
	"punycode":             func(v string, _ *knowledge.Disguises) string { return punycode(v) },
	"pluses":               func(v string, _ *knowledge.Disguises) string { return strings.ReplaceAll(v, " ", "+") },
	"underscores":          func(v string, _ *knowledge.Disguises) string { return strings.ReplaceAll(v, " ", "_") },
	"underscores-lower":    func(v string, _ *knowledge.Disguises) string { return strings.ToLower(strings.ReplaceAll(v, " ", "_")) },
	"dots-lower":           func(v string, _ *knowledge.Disguises) string { return strings.ToLower(strings.ReplaceAll(v, " ", ".")) },
	"dashes-lower":         func(v string, _ *knowledge.Disguises) string { return strings.ToLower(strings.ReplaceAll(v, " ", "-")) },
	"reversed-words":       func(v string, _ *knowledge.Disguises) string { return lastFirst(v) },
	"reversed-words-comma": func(v string, _ *knowledge.Disguises) string { return strings.Replace(lastFirst(v), " ", ", ", 1) },
	"reversed-words-lower": func(v string, _ *knowledge.Disguises) string { return strings.ToLower(lastFirst(v)) },

	"braces-upper": func(v string, _ *knowledge.Disguises) string {
		return "{" + strings.ToUpper(strings.Trim(v, "{}")) + "}"
	},
	"braces":            func(v string, _ *knowledge.Disguises) string { return "{" + strings.Trim(v, "{}") + "}" },
	"uuid-dashes":       func(v string, _ *knowledge.Disguises) string { return dashed(strings.ToLower(v)) },
	"uuid-dashes-upper": func(v string, _ *knowledge.Disguises) string { return dashed(strings.ToUpper(v)) },

	"mail-no-dots": func(v string, _ *knowledge.Disguises) string { return mailbox(v, false, true) },
	"mail-no-tag":  func(v string, _ *knowledge.Disguises) string { return mailbox(v, true, false) },
	"mail-plain":   func(v string, _ *knowledge.Disguises) string { return mailbox(v, true, true) },

	"mac-colons": func(v string, _ *knowledge.Disguises) string {
		return strings.ToLower(strings.ReplaceAll(v, "-", ":"))
	},
	"mac-colons-upper": func(v string, _ *knowledge.Disguises) string {
		return strings.ToUpper(strings.ReplaceAll(v, "-", ":"))
	},
	"mac-dots": func(v string, _ *knowledge.Disguises) string {
		b := strings.ToLower(bare(v))
		if len(b) != 12 {
			return ""
		}
		return b[:4] + "." + b[4:8] + "." + b[8:]
	},
	"mac-spaces": func(v string, _ *knowledge.Disguises) string {
		return strings.ToLower(strings.NewReplacer("-", " ", ":", " ").Replace(v))
	},
	"mac-spaces-upper": func(v string, _ *knowledge.Disguises) string {
		return strings.ToUpper(strings.NewReplacer("-", " ", ":", " ").Replace(v))
	},
	"mac-dashes": func(v string, _ *knowledge.Disguises) string {
		return strings.ToLower(strings.ReplaceAll(v, ":", "-"))
	},
	"mac-dashes-upper": func(v string, _ *knowledge.Disguises) string {
		return strings.ToUpper(strings.ReplaceAll(v, ":", "-"))
	},

	"without-check-digit": func(v string, _ *knowledge.Disguises) string { return strings.TrimSuffix(v, v[max(0, len(v)-1):]) },
	"no-leading-zeros":    func(v string, _ *knowledge.Disguises) string { return strings.TrimLeft(v, "0") },

	"phone-digits":   func(v string, _ *knowledge.Disguises) string { return digits(v) },
	"phone-00":       func(v string, _ *knowledge.Disguises) string { return "00" + digits(v) },
	"phone-plus":     func(v string, _ *knowledge.Disguises) string { return "+" + digits(v) },
	"phone-national": national,

	"location-space":         func(v string, _ *knowledge.Disguises) string { return strings.Replace(v, ",", ", ", 1) },
	"location-semicolon":     func(v string, _ *knowledge.Disguises) string { return strings.Replace(v, ",", ";", 1) },
	"location-bar":           func(v string, _ *knowledge.Disguises) string { return strings.Replace(v, ",", "|", 1) },
	"location-underscore":    func(v string, _ *knowledge.Disguises) string { return strings.Replace(v, ",", "_", 1) },
	"location-blank":         func(v string, _ *knowledge.Disguises) string { return strings.Replace(v, ",", " ", 1) },
	"location-swapped":       swapped(","),
	"location-swapped-space": swapped(", "),
	"location-4":             rounded(4, ",", false),
	"location-4-space":       rounded(4, ", ", false),
	"location-4-swapped":     rounded(4, ",", true),
	"location-5":             rounded(5, ",", false),
	"location-5-space":       rounded(5, ", ", false),
	"location-5-swapped":     rounded(5, ",", true),
	"location-6":             rounded(6, ",", false),
	"location-6-space":       rounded(6, ", ", false),
	"location-6-swapped":     rounded(6, ",", true),
}

// swapped writes longitude before latitude, as GeoJSON does.
func swapped(between string) func(string, *knowledge.Disguises) string {
	return func(v string, _ *knowledge.Disguises) string {
		lat, lon, ok := strings.Cut(v, ",")
		if !ok {
			return ""
		}
		return lon + between + lat
	}
}

// rounded writes both coordinates with a number of decimals.
func rounded(decimals int, between string, swap bool) func(string, *knowledge.Disguises) string {
	return func(v string, _ *knowledge.Disguises) string {
		lat, lon, ok := coordinates(v)
		if !ok {
			return ""
		}
		if swap {
			lat, lon = lon, lat
		}
		return strconv.FormatFloat(lat, 'f', decimals, 64) + between + strconv.FormatFloat(lon, 'f', decimals, 64)
	}
}

// lastFirst writes a name with the family's in front; a value that is no name of two
// words gives "".
func lastFirst(v string) string {
	first, last, ok := strings.Cut(v, " ")
	if !ok || strings.Contains(last, " ") {
		return ""
	}
	return last + " " + first
}

// dashed writes 32 digits as a UUID.
func dashed(v string) string {
	if len(v) != 32 {
		return ""
	}
	return v[:8] + "-" + v[8:12] + "-" + v[12:16] + "-" + v[16:20] + "-" + v[20:]
}

// mailbox writes a mail address as advertisers normalise it before they hash it: in
// lower case, without a tag behind a plus sign, without dots before the at sign.
func mailbox(v string, noTag, noDots bool) string {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(v)), "@")
	if !ok {
		return ""
	}
	if noTag {
		local, _, _ = strings.Cut(local, "+")
	}
	if noDots {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// punycode writes a value that ASCII can't write as a label of a host name is written (RFC
// 5891, section 4.4).
func punycode(v string) string {
	out, err := idna.Punycode.ToASCII(v)
	if err != nil || out == v {
		return ""
	}
	return out
}

// bare drops what only separates.
func bare(v string) string { return strings.NewReplacer("-", "", ":", "", ".", "", " ", "").Replace(v) }

// digits keeps the digits of a phone number.
func digits(v string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, v)
}

// national writes a phone number as it is dialled at home.
func national(v string, d *knowledge.Disguises) string {
	number := digits(v)
	if !strings.HasPrefix(v, "+") {
		return ""
	}
	codes := slices.Clone(d.CallingCodes)
	slices.SortStableFunc(codes, func(a, b knowledge.CallingCode) int { return len(b.Code) - len(a.Code) })
	for _, c := range codes {
		if rest, ok := strings.CutPrefix(number, c.Code); ok {
			return c.Trunk + rest
		}
	}
	return ""
}

// coordinates reads "LATITUDE,LONGITUDE".
func coordinates(v string) (lat, lon float64, ok bool) {
	a, b, ok := strings.Cut(v, ",")
	if !ok {
		return 0, 0, false
	}
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	return lat, lon, err1 == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}
