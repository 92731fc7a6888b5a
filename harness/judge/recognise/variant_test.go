package recognise

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
)

// An app that hashes a value puts it into a form of its own before. A digest shows
// nothing of the value, so each form has to be foreseen.
func TestSpellingsAreHashed(t *testing.T) {
	n, o := tools(t)
	name, location := person.Value(canary.Name), person.Value(canary.Location)
	first, last, _ := strings.Cut(name, " ")
	lat, lon, _ := strings.Cut(location, ",")
	joined := func(v string) string {
		return strings.ToLower(strings.NewReplacer(" ", "", "-", "", ".", "", ":", "").Replace(v))
	}
	for _, c := range []struct {
		kind    canary.Kind
		spelled []string
	}{
		{canary.Name, []string{
			strings.ToLower(name), strings.ToUpper(name), first + last, strings.ToLower(first + last), strings.ToUpper(first + last), first + "_" + last,
			strings.ToLower(first + "." + last), strings.ToLower(first + "-" + last), last + " " + first, strings.ToLower(last + " " + first),
		}},
		{canary.ContactName, []string{strings.ToUpper(person.Value(canary.ContactName)), joined(person.Value(canary.ContactName))}},
		{canary.CalendarEvent, []string{strings.ToUpper(person.Value(canary.CalendarEvent)), joined(person.Value(canary.CalendarEvent))}},
		{canary.Clipboard, []string{strings.ToUpper(person.Value(canary.Clipboard)), joined(person.Value(canary.Clipboard))}},
		{canary.DeviceName, []string{strings.ToUpper(person.Value(canary.DeviceName)), joined(person.Value(canary.DeviceName)), strings.ReplaceAll(person.Value(canary.DeviceName), " ", "_")}},
		{canary.AdvertisingID, []string{strings.ToUpper(person.Value(canary.AdvertisingID)), joined(person.Value(canary.AdvertisingID))}},
		{canary.Location, []string{
			lat + ", " + lon, lat + ";" + lon, lat + "|" + lon, lat + "_" + lon, lat + " " + lon, lon + "," + lat, lon + ", " + lat,
		}},
	} {
		for _, text := range c.spelled {
			sum := sha256.Sum256([]byte(text))
			hits := hitsIn(n, o, body(`{"h":"`+hex.EncodeToString(sum[:])+`"}`))
			if len(hits) != 1 || hits[0].Kind != string(c.kind) || hits[0].Decoy {
				t.Errorf("%s as %q, hashed: %+v", c.kind, text, hits)
			}
		}
	}
}
