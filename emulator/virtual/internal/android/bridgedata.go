package android

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// guard asks whether an app may do what a permission guards. Empty reports
// that it may ask and is told nothing, as Android does with a person's ignored
// operation; the error is the exception that it gets otherwise.
func (b *bridge) guard(a *app, permission, text string) (empty bool, err error) {
	op := operations[permission]
	if !a.Grants[permission].Granted {
		return false, securityException("%s", text)
	}
	if op != "" {
		if b.system.appops.blocked(a.Name, op) {
			return true, nil
		}
		b.system.appops.note(a.Name, op)
	}
	return false, nil
}

// deniedProvider is the text of the exception for a content provider.
func (b *bridge) deniedProvider(a *app, provider, permission string) string {
	return "Permission Denial: opening provider " + provider + " from ProcessRecord{" + b.process.record + " " +
		strconv.Itoa(b.process.pid) + ":" + a.Name + "/u0a" + strconv.Itoa(a.UID-10000) + "} (pid=" + strconv.Itoa(b.process.pid) +
		", uid=" + strconv.Itoa(a.UID) + ") requires " + permission
}

// noAdvertisingID is what an app gets that may not have one.
const noAdvertisingID = "00000000-0000-0000-0000-000000000000"

// advertisingID answers as Play services do: from Android 13 on, an app must
// ask for the permission in its manifest; a person who opted out has none.
func (s *System) advertisingID(a *app) (any, error) {
	type answer struct {
		ID    string `json:"id"`
		Limit bool   `json:"limitAdTracking"`
	}
	data, err := s.files.ReadFile(advertisingFile)
	if errors.Is(err, fs.ErrNotExist) {
		return asJSON(answer{noAdvertisingID, true}, nil)
	}
	if err != nil {
		return nil, err
	}
	p, err := parsePreferences(data)
	if err != nil {
		return nil, err
	}
	id, _ := p.get("adid_key")
	limit, _ := p.get("enable_limit_ad_tracking")
	if limit == "true" || id == "" || a.TargetSDK >= 33 && !a.asks(s.release.API, "com.google.android.gms.permission.AD_ID") {
		id = noAdvertisingID
	}
	return asJSON(answer{id, limit == "true"}, nil)
}

func (s *System) deviceInfo() (any, error) {
	name, _ := s.settings.get(settingsGlobal, "device_name")
	language, _, _ := strings.Cut(s.props.get("persist.sys.locale"), "-")
	return asJSON(map[string]any{
		"manufacturer": s.props.get("ro.product.manufacturer"), "brand": s.props.get("ro.product.brand"),
		"model": s.props.get("ro.product.model"), "device": s.props.get("ro.product.device"),
		"release": s.release.Version, "sdk": s.release.API, "fingerprint": s.props.get("ro.build.fingerprint"),
		"language": language, "timeZone": s.props.get("persist.sys.timezone"), "deviceName": name,
	}, nil)
}

func (b *bridge) location(_ context.Context, a *app, _ arguments) (any, error) {
	const fine, coarse = "android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION"
	permission := fine
	if !a.Grants[fine].Granted {
		permission = coarse
	}
	empty, err := b.guard(a, permission, "uid "+strconv.Itoa(a.UID)+" does not have any of ["+fine+", "+coarse+"].")
	if err != nil {
		return nil, err
	}
	f, ok := b.system.locations.last()
	if empty || !ok {
		return "null", nil
	}
	if permission == coarse {
		f = f.coarse()
	}
	return asJSON(map[string]float64{"latitude": f.Latitude, "longitude": f.Longitude, "accuracy": f.Accuracy}, nil)
}

func (b *bridge) contacts(_ context.Context, a *app, _ arguments) (any, error) {
	const p = "android.permission.READ_CONTACTS"
	empty, err := b.guard(a, p, b.deniedProvider(a, "com.android.providers.contacts.ContactsProvider2", p+" or android.permission.WRITE_CONTACTS"))
	if err != nil {
		return nil, err
	}
	if empty {
		return "[]", nil
	}
	return asJSON(b.system.content.contacts(), nil)
}

func (b *bridge) calendar(_ context.Context, a *app, _ arguments) (any, error) {
	const p = "android.permission.READ_CALENDAR"
	empty, err := b.guard(a, p, b.deniedProvider(a, "com.android.providers.calendar.CalendarProvider2", p+" or android.permission.WRITE_CALENDAR"))
	if err != nil {
		return nil, err
	}
	if empty {
		return "[]", nil
	}
	return asJSON(b.system.content.events(), nil)
}

// accounts are those that the app may see: its own types without a permission, all with one.
func (b *bridge) accounts(_ context.Context, a *app, _ arguments) (any, error) {
	all := a.Grants["android.permission.GET_ACCOUNTS"].Granted || a.Grants["android.permission.READ_CONTACTS"].Granted
	type answer struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	list := []answer{}
	for _, x := range b.system.accounts.all() {
		if all || a.authenticates(x.Type) {
			list = append(list, answer{x.Name, x.Type})
		}
	}
	return asJSON(list, nil)
}

// authenticates reports whether the app has a service for accounts of a type.
func (a *app) authenticates(typ string) bool {
	for _, x := range a.Accounts {
		if x.Type == typ {
			return true
		}
	}
	return false
}

// addAccount is AccountManager.addAccountExplicitly.
func (b *bridge) addAccount(_ context.Context, a *app, args arguments) (any, error) {
	name, err1 := args.text(0)
	typ, err2 := args.text(1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	password := ""
	if len(args.list) > 2 {
		password, _ = args.text(2)
	}
	if name == "" || typ == "" {
		return nil, illegalArgument("the name must not be empty: Account {name=%s, type=%s}", name, typ)
	}
	if !a.authenticates(typ) {
		return nil, securityException("uid %d cannot explicitly add accounts of type: %s", a.UID, typ)
	}
	return b.system.accounts.add(name, typ, password, a.UID), nil
}

// clipboard answers only the app in front, as Android does from release 10 on.
func (b *bridge) clipboard(_ context.Context, a *app, _ arguments) (any, error) {
	if !b.system.activities.focused(a.Name) || b.system.appops.blocked(a.Name, "READ_CLIPBOARD") {
		b.system.log.write(systemServerPID, 1000, 'E', "ClipboardService", "Denying clipboard access to "+a.Name+", application is not in focus nor is it a system service for user 0")
		return "", nil
	}
	b.system.appops.note(a.Name, "READ_CLIPBOARD")
	return b.system.clipboard.get(), nil
}

func (b *bridge) setClipboard(_ context.Context, _ *app, args arguments) (any, error) {
	text, err := args.text(0)
	if err == nil {
		b.system.clipboard.set(text)
	}
	return nil, err
}

func (b *bridge) imei(_ context.Context, a *app, _ arguments) (any, error) {
	if _, err := b.guard(a, "android.permission.READ_PRIVILEGED_PHONE_STATE", "getImeiForSlot: The uid "+strconv.Itoa(a.UID)+" does not meet the requirements to access device identifiers."); err != nil {
		return nil, err
	}
	imei, _ := b.system.phone.get()
	return imei, nil
}

func (b *bridge) phoneNumber(_ context.Context, a *app, _ arguments) (any, error) {
	empty, err := b.guard(a, "android.permission.READ_PHONE_NUMBERS", "getLine1NumberForDisplay: Neither user "+strconv.Itoa(a.UID)+" nor current process has android.permission.READ_PHONE_STATE, android.permission.READ_SMS, or android.permission.READ_PHONE_NUMBERS")
	if err != nil || empty {
		return "", err
	}
	_, number := b.system.phone.get()
	return number, nil
}

// preferences reads a file of the app's shared preferences, lets change edit
// it, and writes it back if change says so.
func (b *bridge) preferences(a *app, file string, change func(*preferences) bool) error {
	b.system.prefsMu.Lock()
	defer b.system.prefsMu.Unlock()
	path := a.dataDir() + "/shared_prefs/" + file + ".xml"
	data, err := b.system.fs.As(a.UID).ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return javaIO(err)
	}
	p, err := parsePreferences(data)
	if err != nil {
		p = &preferences{} // Android, too, begins anew where the file can't be read
	}
	if !change(p) {
		return nil
	}
	view, _, err := b.folder(a, "shared_prefs")
	if err != nil {
		return err
	}
	if err := view.WriteFile(path, p.encode(), 0o660); err != nil {
		return javaIO(err)
	}
	return nil
}

func (b *bridge) prefsGet(_ context.Context, a *app, args arguments) (any, error) {
	file, err1 := args.name(0)
	key, err2 := args.text(1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	var result any
	err := b.preferences(a, file, func(p *preferences) bool {
		if v, ok := p.get(key); ok {
			result = v
		}
		return false
	})
	return result, err
}

func (b *bridge) prefsPut(_ context.Context, a *app, args arguments) (any, error) {
	file, err1 := args.name(0)
	key, err2 := args.text(1)
	value, err3 := args.text(2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return nil, b.preferences(a, file, func(p *preferences) bool {
		p.put(preferenceKind(args.list[2]), key, value)
		return true
	})
}

// preferenceKind is the type that a JavaScript value has in shared preferences.
func preferenceKind(raw json.RawMessage) string {
	var v any
	_ = json.Unmarshal(raw, &v) // what is no JSON is text
	switch v := v.(type) {
	case bool:
		return "boolean"
	case float64:
		if v == float64(int32(v)) {
			return "int"
		}
		if v == float64(int64(v)) {
			return "long"
		}
		return "float"
	}
	return "string"
}

func (b *bridge) prefsRemove(_ context.Context, a *app, args arguments) (any, error) {
	file, err1 := args.name(0)
	key, err2 := args.text(1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return nil, b.preferences(a, file, func(p *preferences) bool {
		had := slices.ContainsFunc(p.entries, func(e preference) bool { return e.Name == key })
		p.remove(key)
		return had
	})
}
