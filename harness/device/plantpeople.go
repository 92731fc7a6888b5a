package device

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/canary"
)

// The two cards that are planted in the address book, and what a card is made of.
const (
	ownCard    = "the person's own card among the contacts"
	friendCard = "a contact"

	contactsURI = "content://com.android.contacts/"
	calendarURI = "content://com.android.calendar/"

	mimeName  = "vnd.android.cursor.item/name"
	mimePhone = "vnd.android.cursor.item/phone_v2"
	mimeEmail = "vnd.android.cursor.item/email_v2"
)

// card is a contact that was planted.
type card struct {
	title string
	id    string // of the raw contact
}

// plantCard adds a name, a number or an address to a card, and makes the card first if need be.
func (d *Device) plantCard(ctx context.Context, c canary.Canary, title, mime string) planting {
	value := c.Value
	p := planting{how: title + ", by content insert"}
	id, err := d.cardID(ctx, title)
	if err == nil {
		err = d.insert(ctx, contactsURI+"data", "raw_contact_id:i:"+id, "mimetype:s:"+mime, "data1:s:"+value)
	}
	if err != nil {
		p.err = err
		return p
	}
	row := "raw_contact_id=" + id + " AND mimetype=" + sqlText(mime) + " AND data1=" + sqlText(value)
	d.onWithdraw(c.Kind, "the "+string(c.Kind)+" on "+title, func(ctx context.Context) error {
		return d.remove(ctx, contactsURI+"data", row)
	})
	p.readBack, p.err = d.column(ctx, contactsURI+"data", "data1", row)
	return p
}

// cardID is the card's raw contact, made at its first use.
func (d *Device) cardID(ctx context.Context, title string) (string, error) {
	d.mu.Lock()
	for _, c := range d.cards {
		if c.title == title {
			d.mu.Unlock()
			return c.id, nil
		}
	}
	d.mu.Unlock()
	before, err := d.ids(ctx, contactsURI+"raw_contacts", "")
	if err != nil {
		return "", err
	}
	if err := d.insert(ctx, contactsURI+"raw_contacts", "account_type:n:", "account_name:n:"); err != nil {
		return "", err
	}
	id, err := d.newest(ctx, contactsURI+"raw_contacts", "", before)
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	d.cards = append(d.cards, card{title, id})
	d.mu.Unlock()
	d.onUnplant(title, func(ctx context.Context) error {
		return d.remove(ctx, contactsURI+"raw_contacts", "_id="+id)
	})
	return id, nil
}

// plantEvent puts an event into a local calendar of its own, the next morning.
func (d *Device) plantEvent(ctx context.Context, title string) planting {
	p := planting{how: "an event in a local calendar, by content insert"}
	// A calendar belongs to an account; a local one is made as a sync adapter would.
	const account = "unasked"
	before, err := d.ids(ctx, calendarURI+"calendars", "")
	if err != nil {
		p.err = err
		return p
	}
	p.err = d.insert(ctx, calendarURI+"calendars?caller_is_syncadapter=true&account_name="+account+"&account_type=LOCAL",
		"account_name:s:"+account, "account_type:s:LOCAL", "name:s:"+account, "calendar_displayName:s:"+account,
		"calendar_access_level:i:700", "ownerAccount:s:"+account, "visible:i:1", "sync_events:i:1")
	if p.err != nil {
		return p
	}
	calendar, err := d.newest(ctx, calendarURI+"calendars", "", before)
	if err != nil {
		p.err = err
		return p
	}
	d.onWithdraw(canary.CalendarEvent, "the calendar", func(ctx context.Context) error {
		return d.remove(ctx, calendarURI+"calendars?caller_is_syncadapter=true&account_name="+account+"&account_type=LOCAL", "_id="+calendar)
	})
	clock, err := d.shell(ctx, "date +%s")
	seconds, err2 := strconv.ParseInt(strings.TrimSpace(clock), 10, 64)
	if err != nil || err2 != nil {
		p.err = fmt.Errorf("the device's clock says %q", clip(clock))
		return p
	}
	start := time.Unix(seconds, 0).UTC().Truncate(24 * time.Hour).Add(33 * time.Hour)
	p.err = d.insert(ctx, calendarURI+"events", "calendar_id:i:"+calendar, "title:s:"+title, "eventTimezone:s:UTC",
		"dtstart:l:"+strconv.FormatInt(start.UnixMilli(), 10), "dtend:l:"+strconv.FormatInt(start.Add(time.Hour).UnixMilli(), 10))
	if p.err != nil {
		return p
	}
	p.readBack, p.err = d.column(ctx, calendarURI+"events", "title", "calendar_id="+calendar+" AND title="+sqlText(title))
	return p
}

// insert adds a row; each value is COLUMN:TYPE:VALUE, as Android's content command wants it.
func (d *Device) insert(ctx context.Context, uri string, values ...string) error {
	script := "content insert --uri " + adb.Quote(uri)
	for _, v := range values {
		script += " --bind " + adb.Quote(v)
	}
	return d.contentFault(ctx, script, nil)
}

func (d *Device) remove(ctx context.Context, uri, where string) error {
	return d.contentFault(ctx, "content delete --uri "+adb.Quote(uri)+" --where "+adb.Quote(where), nil)
}

func (d *Device) query(ctx context.Context, uri, column, where string) ([]string, error) {
	script := "content query --uri " + adb.Quote(uri) + " --projection " + column
	if where != "" {
		script += " --where " + adb.Quote(where)
	}
	var out string
	if err := d.contentFault(ctx, script, &out); err != nil {
		return nil, err
	}
	return parseRows(out, column), nil
}

// contentFault runs a content command. Its exit code is 0 even where it prints a stack trace.
func (d *Device) contentFault(ctx context.Context, script string, out *string) error {
	res, err := d.ask(ctx, script)
	if err != nil {
		return err
	}
	if err := res.Check(script); err != nil {
		return err
	}
	if text := strings.TrimSpace(string(res.Stderr)); strings.Contains(text, "Exception") || strings.Contains(text, "[ERROR]") || strings.Contains(text, "Error while accessing") {
		return fmt.Errorf("%s: the device says %q", firstWords(script), clip(text))
	}
	if out != nil {
		*out = string(res.Stdout)
	}
	return nil
}

// column reads one column of the one row that is sought; "" where there is none.
func (d *Device) column(ctx context.Context, uri, column, where string) (string, error) {
	rows, err := d.query(ctx, uri, column, where)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0], nil
}

func (d *Device) ids(ctx context.Context, uri, where string) (map[string]bool, error) {
	rows, err := d.query(ctx, uri, "_id", where)
	ids := map[string]bool{}
	for _, r := range rows {
		ids[r] = true
	}
	return ids, err
}

// newest is the row that was not there before.
func (d *Device) newest(ctx context.Context, uri, where string, before map[string]bool) (string, error) {
	rows, err := d.query(ctx, uri, "_id", where)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if _, err := strconv.ParseUint(r, 10, 63); err == nil && !before[r] {
			return r, nil
		}
	}
	return "", fmt.Errorf("content insert into %s: the device took it and shows no new row", uri)
}

// parseRows reads the rows of a query for one column: "Row: 0 COLUMN=VALUE". A value may go over several lines.
func parseRows(out, column string) []string {
	var rows []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "Row: "); ok {
			number, value, ok := strings.Cut(rest, " ")
			if v, named := strings.CutPrefix(value, column+"="); ok && named && number == strconv.Itoa(len(rows)) {
				rows = append(rows, v)
				continue
			}
		}
		if len(rows) > 0 {
			rows[len(rows)-1] += "\n" + line
		}
	}
	return rows
}

// sqlText writes a text as SQL does.
func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
