package android

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// contentArgs are the arguments of "content".
type contentArgs struct {
	uri        *url.URL
	bind       row
	projection []string
	where      string
	sort       string
}

// errNoProvider says that this device has no such content provider.
type errNoProvider struct{ authority string }

func (e *errNoProvider) Error() string {
	return "java.lang.IllegalStateException: Could not find provider: " + e.authority + " (unasked's embedded device does not model it)"
}

// contentCommand is "content". As on real devices, an exception of the provider
// is printed and the exit code stays 0.
func (s *System) contentCommand(_ context.Context, c *shell.Call) int {
	if len(c.Args) < 2 {
		fmt.Fprint(c.Stderr, "[ERROR] Missing command\n")
		return 1
	}
	verb := c.Args[1]
	if !slices.Contains([]string{"insert", "query", "update", "delete"}, verb) {
		fmt.Fprintf(c.Stderr, "[ERROR] Unsupported operation: %s (unasked's embedded device has insert, query, update and delete)\n", verb)
		return 1
	}
	a, err := parseContent(c.Args[2:])
	if err != nil {
		fmt.Fprintf(c.Stderr, "[ERROR] %v\n", err)
		return 1
	}
	switch a.uri.Host {
	case "settings":
		err = s.contentSettings(c, verb, a)
	case "media":
		err = s.contentMedia(c, verb, a)
	default:
		err = s.contentTable(c, verb, a)
	}
	if err != nil {
		fmt.Fprintf(c.Stderr, "Error while accessing provider:%s\n%v\n", a.uri.Host, err)
		var missing *errNoProvider
		if errors.As(err, &missing) {
			return 1
		}
	}
	return 0
}

func parseContent(list []string) (contentArgs, error) {
	a := contentArgs{bind: row{}}
	for i := 0; i < len(list); i++ {
		opt := list[i]
		if i+1 >= len(list) {
			return a, refusef("Missing value for argument: %s", opt)
		}
		i++
		v := list[i]
		switch opt {
		case "--uri":
			u, err := url.Parse(v)
			if err != nil || u.Scheme != "content" || u.Host == "" {
				return a, refusef("Malformed URI: %s", v)
			}
			a.uri = u
		case "--bind":
			name, rest, ok1 := strings.Cut(v, ":")
			kind, text, ok2 := strings.Cut(rest, ":")
			if !ok1 || !ok2 || name == "" {
				return a, refusef("Binding not well formed: %s", v)
			}
			cell := value{Text: text}
			switch kind {
			case "s":
			case "n":
				cell = value{Null: true}
			case "i", "l":
				if _, err := strconv.ParseInt(text, 10, 64); err != nil {
					return a, refusef("Invalid number: %s", text)
				}
			case "f", "d":
				if _, err := strconv.ParseFloat(text, 64); err != nil {
					return a, refusef("Invalid number: %s", text)
				}
			case "b":
				if text = strings.ToLower(text); text == "true" {
					cell.Text = "1"
				} else {
					cell.Text = "0"
				}
			default:
				return a, refusef("Unsupported type: %s", kind)
			}
			a.bind[name] = cell
		case "--projection":
			a.projection = strings.Split(v, ":")
		case "--where":
			a.where = v
		case "--sort":
			a.sort = v
		case "--user", "--extra":
		default:
			return a, refusef("Unsupported argument: %s", opt)
		}
	}
	if a.uri == nil {
		return a, refusal("Missing required argument: --uri")
	}
	return a, nil
}

// locate finds the table of a URI; a last part that is a number narrows to one row.
func (t *content) locate(u *url.URL) (*table, where, error) {
	name := u.Host + strings.TrimRight(u.Path, "/")
	only, _ := compileWhere("")
	if tab, ok := t.tables[name]; ok {
		return tab, only, nil
	}
	// Views of contacts: the same rows under other names.
	data := t.tables["com.android.contacts/data"]
	for suffix, kind := range map[string]string{"phones": mimePhone, "emails": mimeEmail} {
		if name == "com.android.contacts/data/"+suffix {
			return data, func(r map[string]value) bool { return r["mimetype"].Text == kind }, nil
		}
	}
	if name == "com.android.contacts/contacts" {
		return t.tables["com.android.contacts/raw_contacts"], only, nil
	}
	dir, id := path.Split(name)
	if _, err := strconv.Atoi(id); err == nil {
		if tab, ok := t.tables[strings.TrimRight(dir, "/")]; ok {
			return tab, func(r map[string]value) bool { return r["_id"].Text == id }, nil
		}
	}
	for known := range t.tables {
		if strings.HasPrefix(known, u.Host+"/") {
			return nil, nil, illegalArgument("Unknown URL %s", u)
		}
	}
	return nil, nil, &errNoProvider{u.Host}
}

// contentTable works on contacts and the calendar.
func (s *System) contentTable(c *shell.Call, verb string, a contentArgs) error {
	s.content.mu.Lock()
	defer s.content.mu.Unlock()
	t, within, err := s.content.locate(a.uri)
	if err != nil {
		return err
	}
	condition, err := compileWhere(a.where)
	if err != nil {
		return refusef("android.database.sqlite.SQLiteException: %v (code 1 SQLITE_ERROR)", err)
	}
	matches := func(r row) bool { return within(r) && condition(r) }
	switch verb {
	case "insert":
		if t == s.content.tables["com.android.calendar/calendars"] {
			// A sync adapter's parameters name the account.
			for _, k := range []string{"account_name", "account_type"} {
				if v := a.uri.Query().Get(k); v != "" && a.bind[k].Text == "" {
					a.bind[k] = value{Text: v}
				}
			}
		}
		_, err := t.insert(a.bind)
		return err
	case "update":
		for name := range a.bind {
			if !slices.Contains(t.columns, name) {
				return illegalArgument("Invalid column %s", name)
			}
		}
		for _, r := range t.rows {
			if matches(r) {
				for name, v := range a.bind {
					r[name] = v
				}
			}
		}
	case "delete":
		s.content.remove(t, matches)
	case "query":
		var rows []row
		for _, r := range t.rows {
			if matches(r) {
				rows = append(rows, r)
			}
		}
		return printRows(c, t.columns, rows, a)
	}
	return nil
}

// remove deletes rows, and those that depend on them.
func (t *content) remove(tab *table, matches func(row) bool) {
	gone := map[string]bool{}
	tab.rows = slices.DeleteFunc(tab.rows, func(r row) bool {
		if matches(r) {
			gone[r["_id"].Text] = true
			return true
		}
		return false
	})
	for _, link := range []struct{ parent, child, column string }{
		{"com.android.contacts/raw_contacts", "com.android.contacts/data", "raw_contact_id"},
		{"com.android.calendar/calendars", "com.android.calendar/events", "calendar_id"},
	} {
		if t.tables[link.parent] == tab {
			child := t.tables[link.child]
			child.rows = slices.DeleteFunc(child.rows, func(r row) bool { return gone[r[link.column].Text] })
		}
	}
}

// printRows prints the result of a query.
func printRows(c *shell.Call, columns []string, rows []row, a contentArgs) error {
	show := columns
	if len(a.projection) > 0 {
		show = a.projection
		for _, name := range show {
			if !slices.Contains(columns, name) {
				return illegalArgument("Invalid column %s", name)
			}
		}
	}
	if fields := strings.Fields(a.sort); len(fields) > 0 {
		descending := len(fields) > 1 && strings.EqualFold(fields[1], "DESC")
		slices.SortStableFunc(rows, func(x, y row) int {
			n := compare(x[fields[0]].Text, y[fields[0]].Text)
			if descending {
				return -n
			}
			return n
		})
	}
	if len(rows) == 0 {
		c.Printf("No result found.\n")
		return nil
	}
	for i, r := range rows {
		var cells []string
		for _, name := range show {
			text := r[name].Text
			if r[name].Null {
				text = "NULL"
			}
			cells = append(cells, name+"="+text)
		}
		c.Printf("Row: %d %s\n", i, strings.Join(cells, ", "))
	}
	return nil
}

// contentSettings is the settings provider's table.
func (s *System) contentSettings(c *shell.Call, verb string, a contentArgs) error {
	parts := strings.Split(strings.Trim(a.uri.Path, "/"), "/")
	namespace := parts[0]
	if !slices.Contains([]string{settingsSystem, settingsSecure, settingsGlobal}, namespace) {
		return illegalArgument("Invalid URI: %s", a.uri)
	}
	if verb == "insert" || verb == "update" && len(parts) == 1 {
		name := a.bind["name"].Text
		if name == "" {
			return illegalArgument("name is required")
		}
		s.settings.put(namespace, name, a.bind["value"].Text)
		return nil
	}
	condition, err := compileWhere(a.where)
	if err != nil {
		return refusef("android.database.sqlite.SQLiteException: %v (code 1 SQLITE_ERROR)", err)
	}
	var rows []row
	for i, line := range strings.Split(strings.TrimRight(s.settings.list(namespace), "\n"), "\n") {
		name, v, _ := strings.Cut(line, "=")
		r := row{"_id": {Text: strconv.Itoa(i + 1)}, "name": {Text: name}, "value": {Text: v}}
		if condition(r) && (len(parts) < 2 || parts[1] == name) {
			rows = append(rows, r)
		}
	}
	switch verb {
	case "delete":
		for _, r := range rows {
			s.settings.remove(namespace, r["name"].Text)
		}
		return nil
	case "update":
		for _, r := range rows {
			s.settings.put(namespace, r["name"].Text, a.bind["value"].Text)
		}
		return nil
	}
	return printRows(c, []string{"_id", "name", "value"}, rows, a)
}

// mediaFolders are where the media store looks, beneath the shared storage.
var mediaFolders = []string{"DCIM", "Pictures", "Movies", "Music", "Download", "Documents"}

// contentMedia lists the media on the shared storage as they are now; an
// insert, which on a phone only names a file, is refused.
func (s *System) contentMedia(c *shell.Call, verb string, a contentArgs) error {
	kind := strings.TrimPrefix(strings.Trim(a.uri.Path, "/"), "external/")
	prefix, ok := map[string]string{"file": "", "images/media": "image/", "video/media": "video/", "audio/media": "audio/", "downloads": ""}[strings.TrimPrefix(kind, "external_primary/")]
	if !ok {
		return illegalArgument("Unknown URL %s", a.uri)
	}
	if verb != "query" {
		return refusal("java.lang.UnsupportedOperationException: unasked's embedded device lists the files of the shared storage: push or remove a file instead")
	}
	condition, err := compileWhere(a.where)
	if err != nil {
		return refusef("android.database.sqlite.SQLiteException: %v (code 1 SQLITE_ERROR)", err)
	}
	var rows []row
	for _, f := range s.media(prefix, kind == "downloads") {
		if condition(f) {
			rows = append(rows, f)
		}
	}
	return printRows(c, []string{"_id", "_data", "_display_name", "_size", "mime_type", "date_modified", "relative_path"}, rows, a)
}

// media are the files of the shared storage whose media type has a prefix.
func (s *System) media(prefix string, downloads bool) []row {
	var rows []row
	id := 0
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		entries, err := s.files.ReadDir(dir)
		if err != nil || depth > 8 {
			return
		}
		for _, e := range entries {
			file := dir + "/" + e.Name()
			if e.IsDir() {
				walk(file, depth+1)
				continue
			}
			info, err := e.Info()
			if err != nil || info.Mode().Type()&fs.ModeSymlink != 0 {
				continue
			}
			id++
			typ, _, _ := mime.ParseMediaType(mime.TypeByExtension(path.Ext(file)))
			if typ == "" {
				typ = "application/octet-stream"
			}
			if !strings.HasPrefix(typ, prefix) {
				continue
			}
			relative := strings.TrimPrefix(dir, "/storage/emulated/0/") + "/"
			rows = append(rows, row{"_id": {Text: strconv.Itoa(id)}, "_data": {Text: file}, "_display_name": {Text: e.Name()}, "_size": {Text: strconv.FormatInt(info.Size(), 10)},
				"mime_type": {Text: typ}, "date_modified": {Text: strconv.FormatInt(info.ModTime().Unix(), 10)}, "relative_path": {Text: relative}})
		}
	}
	for _, f := range mediaFolders {
		if !downloads || f == "Download" {
			walk("/storage/emulated/0/"+f, 0)
		}
	}
	return rows
}
