package android

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// row is one row of a content provider's table.
type row map[string]value

// table is one table of a content provider.
type table struct {
	columns []string // in the order that a query prints them
	rows    []row
	nextID  int
	// check refuses or completes a row before it is inserted.
	check func(row) error
}

// content holds the tables of the providers that this device models.
type content struct {
	mu     sync.Mutex
	tables map[string]*table // by authority/path
}

// Data types of contacts.
const (
	mimeName  = "vnd.android.cursor.item/name"
	mimePhone = "vnd.android.cursor.item/phone_v2"
	mimeEmail = "vnd.android.cursor.item/email_v2"
)

func newContent() *content {
	c := &content{tables: map[string]*table{}}
	rawContacts := &table{columns: []string{"_id", "contact_id", "account_name", "account_type", "display_name", "display_name_alt", "deleted", "starred", "times_contacted", "version", "sourceid"}}
	data := &table{columns: []string{"_id", "raw_contact_id", "contact_id", "mimetype", "is_primary", "is_super_primary", "display_name",
		"data1", "data2", "data3", "data4", "data5", "data6", "data7", "data8", "data9", "data10", "data11", "data12", "data13", "data14", "data15", "account_name", "account_type"}}
	rawContacts.check = func(r row) error {
		id := r["_id"]
		r["contact_id"], r["deleted"], r["version"] = id, value{Text: "0"}, value{Text: "2"}
		return nil
	}
	data.check = func(r row) error {
		raw := rawContacts.find("_id", r["raw_contact_id"].Text)
		if raw == nil {
			return refusal("android.database.sqlite.SQLiteConstraintException: FOREIGN KEY constraint failed (code 787 SQLITE_CONSTRAINT_FOREIGNKEY)")
		}
		if r["mimetype"].Text == "" {
			return illegalArgument("mimetype is required")
		}
		r["contact_id"], r["account_name"], r["account_type"] = raw["contact_id"], raw["account_name"], raw["account_type"]
		if r["mimetype"].Text == mimeName {
			if r["data1"].Text == "" {
				r["data1"] = value{Text: strings.TrimSpace(r["data2"].Text + " " + r["data3"].Text)}
			}
			raw["display_name"], raw["display_name_alt"] = r["data1"], r["data1"]
		}
		return nil
	}
	calendars := &table{columns: []string{"_id", "account_name", "account_type", "name", "calendar_displayName", "calendar_color", "calendar_access_level", "ownerAccount", "visible", "sync_events", "calendar_timezone", "isPrimary"}}
	events := &table{columns: []string{"_id", "calendar_id", "title", "description", "eventLocation", "eventStatus", "dtstart", "dtend", "duration", "eventTimezone", "allDay", "rrule", "hasAlarm", "organizer", "deleted"}}
	events.check = func(r row) error {
		if calendars.find("_id", r["calendar_id"].Text) == nil {
			return illegalArgument("Event values must include a calendar_id of a calendar that exists")
		}
		if r["dtstart"].Text == "" {
			return illegalArgument("Event values must include a dtstart")
		}
		if r["eventTimezone"].Text == "" {
			return illegalArgument("Event values must include an eventTimezone")
		}
		r["deleted"] = value{Text: "0"}
		return nil
	}
	c.tables["com.android.contacts/raw_contacts"] = rawContacts
	c.tables["com.android.contacts/data"] = data
	c.tables["com.android.calendar/calendars"] = calendars
	c.tables["com.android.calendar/events"] = events
	return c
}

// find returns the first row with that value in a column, or nil.
func (t *table) find(column, text string) row {
	for _, r := range t.rows {
		if v := r[column]; !v.Null && v.Text == text {
			return r
		}
	}
	return nil
}

// insert adds a row.
func (t *table) insert(values row) (int, error) {
	for name := range values {
		if !slices.Contains(t.columns, name) {
			return 0, illegalArgument("Invalid column %s", name)
		}
	}
	r := row{}
	for _, name := range t.columns {
		if v, ok := values[name]; ok {
			r[name] = v
		} else {
			r[name] = value{Null: true}
		}
	}
	id := t.nextID + 1
	r["_id"] = value{Text: strconv.Itoa(id)}
	if t.check != nil {
		if err := t.check(r); err != nil {
			return 0, err
		}
	}
	t.nextID = id
	t.rows = append(t.rows, r)
	return id, nil
}

// contact is a person in the address book.
type contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// contacts are the people in the address book, in order.
func (c *content) contacts() []contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	people := []contact{}
	at := map[string]int{}
	for _, r := range c.tables["com.android.contacts/raw_contacts"].rows {
		at[r["_id"].Text] = len(people)
		people = append(people, contact{})
	}
	for _, r := range c.tables["com.android.contacts/data"].rows {
		i, ok := at[r["raw_contact_id"].Text]
		if !ok {
			continue
		}
		switch r["mimetype"].Text {
		case mimeName:
			people[i].Name = r["data1"].Text
		case mimePhone:
			people[i].Phone = r["data1"].Text
		case mimeEmail:
			people[i].Email = r["data1"].Text
		}
	}
	return people
}

// event is an entry of the calendar.
type event struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Location    string `json:"location"`
	Start       string `json:"start"` // milliseconds since 1970
	End         string `json:"end"`
}

// events are the calendar's entries, in order of insertion.
func (c *content) events() []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []event{}
	for _, r := range c.tables["com.android.calendar/events"].rows {
		list = append(list, event{r["title"].Text, r["description"].Text, r["eventLocation"].Text, r["dtstart"].Text, r["dtend"].Text})
	}
	return list
}
