package account

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// witness is what an answer says of an account besides its id.
type witness struct {
	place   Place
	name    string    // the field's
	named   bool      // it names the user for others
	created time.Time // when the account came to be; zero where the field does not say it
	sent    *prior    // whether the app had sent it before
}

// prior is a text that must not stand in an earlier request as it is.
type prior struct{ first uint64 }

// The most of an account object that is remembered.
const mostWitnesses = 24

// witnesses notes what a response says of the users that it names: in the object in
// which the id stands, or in one within it.
func (t *Tracker) witnesses(m *Message, r *reply, principals map[*Minted]string) {
	if len(principals) == 0 {
		return
	}
	f := &t.kb.Fields
	for i := range m.Values {
		v := &m.Values[i]
		name := v.field()
		if v.Text == "" || len(v.Text) > 512 {
			continue
		}
		var w witness
		switch {
		case v.JWT && (name == "iat" || name == "auth_time"), fielded(v) && knowledge.Named(f.Created, name):
			if w.created = parseTime(v.Text); w.created.IsZero() {
				continue
			}
		case inBody(v) && !v.JWT && knowledge.Named(f.Profile, name) && v.Text != "null" && v.Text != "false":
			w.named = knowledge.Named(f.ProfileNames, name) && !unguessable(v.Text) // what nobody could read is no name
		default:
			continue
		}
		for minted, object := range principals {
			if len(minted.witnesses) == mostWitnesses || !about(v, object) && !v.JWT || v.Listed && !listed(object) ||
				slices.ContainsFunc(minted.witnesses, func(o witness) bool {
					return o.place.Surface == m.place(v, "").Surface && o.place.Excerpt == m.place(v, "").Excerpt
				}) {
				continue
			}
			w.place, w.name, w.sent = m.place(v, ""), name, t.whole(v.Text)
			minted.witnesses = append(minted.witnesses, w)
		}
	}
}

// about reports whether a value stands in an object, or in one that the object has.
func about(v *Value, object string) bool {
	own := v.object()
	return own == object || strings.HasPrefix(own, object+".") || object != "" && own != "" && strings.HasPrefix(object, own+".") && strings.Count(object, ".")-strings.Count(own, ".") == 1
}

// whole is the record of a text that must not stand in an earlier request.
func (t *Tracker) whole(text string) *prior {
	p := t.wholes[text]
	if p == nil {
		p = &prior{}
		t.wholes[text] = p
	}
	return p
}

// accountObject is what is known of an account besides its ids.
type accountObject struct {
	profile   []string // surfaces
	named     []string // names of fields that name the user for others
	created   time.Time
	createdAt string // name of the field
	old       bool   // the account came to be before the app was there
	encoded   time.Time
	format    string // what the id encodes its time as
	sure      bool   // of that
}

// slack is how much earlier than the app a time must be for its account to be older: clocks differ.
const slack = time.Hour

// object gathers what answers said of an account.
func (t *Tracker) object(names []*Minted) accountObject {
	var o accountObject
	var began time.Time
	for _, m := range names {
		began = earliest(began, t.began[m.installation])
		for _, w := range m.witnesses {
			if !w.created.IsZero() {
				if o.created.IsZero() || w.created.Before(o.created) {
					o.created, o.createdAt = w.created, w.name
				}
				continue
			}
			if w.sent.first != 0 && w.sent.first < w.place.Event {
				continue // the app named the user
			}
			if !slices.Contains(o.profile, w.place.Surface) {
				o.profile = append(o.profile, w.place.Surface)
			}
			if w.named && !slices.Contains(o.named, w.name) {
				o.named = append(o.named, w.name)
			}
		}
		if at, format, sure := t.encodedTime(m.Value, m.host, began); !at.IsZero() && o.encoded.IsZero() {
			o.encoded, o.format, o.sure = at, format, sure
		}
	}
	o.old = !began.IsZero() && (!o.created.IsZero() && o.created.Before(began.Add(-slack)) || o.sure && o.encoded.Before(began.Add(-slack)))
	return o
}

// level is how far up the ladder an account in use is.
func (o *accountObject) level() int {
	if o.old || len(o.named) > 0 && (len(o.profile) > 1 || !o.created.IsZero()) {
		return 5
	}
	return 3
}

// grounds says what the object tells, as the end of a sentence.
func (o *accountObject) grounds() string {
	var out []string
	if len(o.profile) > 0 {
		out = append(out, "the service gave the user a profile ("+strings.Join(o.profile[:min(4, len(o.profile))], ", ")+")")
	}
	if !o.created.IsZero() {
		out = append(out, fmt.Sprintf("its field %s says %s", o.createdAt, o.created.UTC().Format(time.RFC3339)))
	}
	if !o.encoded.IsZero() {
		how := "if it is a"
		if o.sure {
			how = "being a"
		}
		out = append(out, fmt.Sprintf("the id, %s %s, was made at %s", how, o.format, o.encoded.UTC().Format(time.RFC3339)))
	}
	if o.old {
		out = append(out, "that is before the app was there")
	}
	if len(out) == 0 {
		return ""
	}
	return "; " + strings.Join(out, "; ")
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// layouts are the ways in which times are written, besides numbers.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 MST",
	"2006-01-02 15:04:05.999999999", "2006-01-02", time.RFC1123, time.RFC1123Z, time.RubyDate, "2006/01/02 15:04:05",
}

// parseTime reads a time as services write it; zero where it is none.
func parseTime(text string) time.Time {
	text = strings.TrimSpace(text)
	if whole, _, ok := strings.Cut(text, "."); ok && allDigits(whole) && len(text) < 24 {
		text = whole
	}
	if allDigits(text) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}
		}
		switch len(text) {
		case 9, 10:
			return plausible(time.Unix(n, 0))
		case 12, 13:
			return plausible(time.UnixMilli(n))
		case 15, 16:
			return plausible(time.UnixMicro(n))
		case 19:
			return plausible(time.Unix(0, n))
		}
		return time.Time{}
	}
	if len(text) < 10 || len(text) > 40 {
		return time.Time{}
	}
	for _, l := range layouts {
		if at, err := time.Parse(l, text); err == nil {
			return plausible(at)
		}
	}
	return time.Time{}
}

// plausible is the time if a service of today could have noted it.
func plausible(at time.Time) time.Time {
	if y := at.Year(); y < 1999 || y > 2100 {
		return time.Time{}
	}
	return at.UTC()
}

// encodedTime is the time that an id encodes. It is sure where chance would hardly have
// made such an id; of other ids it is only possible, and nothing follows from it. A time
// after the app began by more than a year is none.
func (t *Tracker) encodedTime(id, host string, began time.Time) (at time.Time, format string, sure bool) {
	ok := func(at time.Time) bool {
		return at.Year() >= 2005 && (began.IsZero() && at.Year() < 2100 || !began.IsZero() && at.Before(began.AddDate(1, 0, 0)))
	}
	bare := strings.ReplaceAll(id, "-", "")
	if len(bare) == 32 && len(id) == 36 && isHex(bare) {
		b, err := hex.DecodeString(bare)
		if err != nil {
			return time.Time{}, "", false
		}
		if at, format = uuidTime([16]byte(b)); !at.IsZero() && ok(at) {
			return at, format, true
		}
		return time.Time{}, "", false
	}
	switch {
	case len(id) == 26 && id[0] <= '7':
		if n := digits(strings.ToUpper(id[:10]), "0123456789ABCDEFGHJKMNPQRSTVWXYZ"); n != nil && digits(strings.ToUpper(id), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != nil && n.IsInt64() {
			if at = time.UnixMilli(n.Int64()); ok(at) {
				return at, "ULID", true
			}
		}
	case len(id) == 24 && isHex(id):
		n, _ := strconv.ParseInt(id[:8], 16, 64)
		if at = time.Unix(n, 0); ok(at) {
			return at, "ObjectId", false
		}
	case len(id) == 27:
		if n := digits(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"); n != nil && n.BitLen() <= 160 {
			seconds := new(big.Int).Rsh(n, 128)
			if at = time.Unix(1_400_000_000+seconds.Int64(), 0); ok(at) {
				return at, "KSUID", false
			}
		}
	case len(id) == 20 && id[0] == '-':
		if n := digits(id[:8], "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"); n != nil && n.IsInt64() {
			if at = time.UnixMilli(n.Int64()); ok(at) {
				return at, "Firebase push id", true
			}
		}
	case allDigits(id) && len(id) >= 15 && len(id) <= 19:
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			break
		}
		for _, f := range t.kb.Fields.IDTimes {
			if !slices.ContainsFunc(f.Hosts, func(h string) bool { return knowledge.Glob(h, host) }) {
				continue
			}
			count := n>>f.Shift + f.Epoch
			if f.Unit == time.Second {
				at = time.Unix(count, 0)
			} else {
				at = time.UnixMilli(count)
			}
			if ok(at) {
				return at, f.Name, true
			}
		}
	}
	return time.Time{}, "", false
}

// uuidTime is the time in a UUID of version 1, 6 or 7 (RFC 9562, section 5).
func uuidTime(b [16]byte) (time.Time, string) {
	if b[8]&0xc0 != 0x80 {
		return time.Time{}, ""
	}
	be := func(list ...byte) (n int64) {
		for _, c := range list {
			n = n<<8 | int64(c)
		}
		return n
	}
	const gregorian = 0x01b21dd213814000 // from 1582 to 1970, in units of 100 ns
	switch b[6] >> 4 {
	case 1:
		return time.UnixMicro((be(b[6]&0xf, b[7], b[4], b[5], b[0], b[1], b[2], b[3]) - gregorian) / 10), "UUID version 1"
	case 6:
		return time.UnixMicro((be(b[0], b[1], b[2], b[3], b[4], b[5])<<12 + be(b[6]&0xf, b[7]) - gregorian) / 10), "UUID version 6"
	case 7:
		return time.UnixMilli(be(b[0], b[1], b[2], b[3], b[4], b[5])), "UUID version 7"
	}
	return time.Time{}, ""
}

// digits reads a number in an alphabet; nil where a character is not of it.
func digits(text, alphabet string) *big.Int {
	n, base := new(big.Int), big.NewInt(int64(len(alphabet)))
	for i := range len(text) {
		d := strings.IndexByte(alphabet, text[i])
		if d < 0 {
			return nil
		}
		n.Mul(n, base).Add(n, big.NewInt(int64(d)))
	}
	return n
}
