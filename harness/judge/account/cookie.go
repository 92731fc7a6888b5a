package account

import (
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Lifetimes says how long the cookies are to be kept that a response sets (RFC 6265,
// section 5.3): 0 for as long as the app runs, less than 0 for those that are to be
// dropped. at is when the response came; where nobody knows, a date says nothing.
func Lifetimes(headers []flow.Header, at time.Time) map[string]time.Duration {
	var out map[string]time.Duration
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "Set-Cookie") {
			continue
		}
		pair, attributes, _ := strings.Cut(h.Value, ";")
		name, _, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			continue
		}
		if out == nil {
			out = map[string]time.Duration{}
		}
		out[name] = lifetime(attributes, at)
	}
	return out
}

// lifetime reads the attributes of a cookie; Max-Age goes before Expires.
func lifetime(attributes string, at time.Time) (d time.Duration) {
	for attribute := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		switch strings.ToLower(name) {
		case "max-age":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				if n <= 0 {
					return -1
				}
				return time.Duration(min(n, 100*365*24*3600)) * time.Second
			}
		case "expires":
			expires := time.Time{}
			for _, layout := range []string{time.RFC1123, "Mon, 02-Jan-2006 15:04:05 MST", time.RFC850, time.ANSIC} {
				if t, err := time.Parse(layout, value); err == nil {
					expires = t
					break
				}
			}
			switch {
			case expires.IsZero():
			case expires.Unix() <= 0:
				d = -1
			case !at.IsZero():
				d = expires.Sub(at)
			}
		}
	}
	return d
}
