package android

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// permissionController owns the dialogs that ask for permissions.
const permissionController = "com.android.permissioncontroller"

// promptTexts are what the dialogs of Android 14 ask, by permission group; %s
// is the app's label.
var promptTexts = map[string]string{
	"ACTIVITY_RECOGNITION": "Allow %s to access your physical activity?",
	"CALENDAR":             "Allow %s to access your calendar?",
	"CALL_LOG":             "Allow %s to access your phone call logs?",
	"CAMERA":               "Allow %s to take pictures and record video?",
	"CONTACTS":             "Allow %s to access your contacts?",
	"LOCATION":             "Allow %s to access this device’s location?",
	"MICROPHONE":           "Allow %s to record audio?",
	"NEARBY_DEVICES":       "Allow %s to find, connect to, and determine the relative position of nearby devices?",
	"NOTIFICATIONS":        "Allow %s to send you notifications?",
	"PHONE":                "Allow %s to make and manage phone calls?",
	"READ_MEDIA_AURAL":     "Allow %s to access music and audio on this device?",
	"READ_MEDIA_VISUAL":    "Allow %s to access photos and videos on this device?",
	"SENSORS":              "Allow %s to access sensor data about your vital signs?",
	"SMS":                  "Allow %s to send and view SMS messages?",
	"STORAGE":              "Allow %s to access photos and media on your device?",
}

// whileInUse are the groups that can be granted for while an app is used, or once.
var whileInUse = []string{"CAMERA", "LOCATION", "MICROPHONE"}

// The answers of a dialog.
const (
	answerAllow = iota
	answerOnce
	answerDeny
)

// permissionPrompt is the dialog for a group, and what each button means.
func permissionPrompt(group, label string) (Prompt, []int) {
	text := promptTexts[group]
	if text == "" {
		text = "Allow %s to do that?"
	}
	p := Prompt{Package: permissionController, Message: strings.Replace(text, "%s", oneLine(label), 1)}
	button := func(id, text string) {
		p.Buttons = append(p.Buttons, PromptButton{ID: permissionController + ":id/" + id, Text: text})
	}
	if slices.Contains(whileInUse, group) {
		button("permission_allow_foreground_only_button", "While using the app")
		button("permission_allow_one_time_button", "Only this time")
		button("permission_deny_button", "Don’t allow")
		return p, []int{answerAllow, answerOnce, answerDeny}
	}
	button("permission_allow_button", "Allow")
	button("permission_deny_button", "Don’t allow")
	return p, []int{answerAllow, answerDeny}
}

// requestPermissions asks a person, group by group, in the background; the
// answer comes as the event androidpermissions.
func (b *bridge) requestPermissions(_ context.Context, _ *app, args arguments) (any, error) {
	text, err := args.text(0)
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, illegalArgument("permissions must be a JSON array of names: %v", err)
	}
	if len(names) == 0 || len(names) > 100 {
		return nil, illegalArgument("permission cannot be null or empty")
	}
	code, err := args.number(1)
	if err != nil {
		return nil, err
	}
	b.system.background(func() {
		if results, ok := b.ask(names); ok {
			b.emit("androidpermissions", map[string]any{"requestCode": code, "results": results})
		}
	})
	return nil, nil
}

// ask brings up the dialogs that are needed. It reports false when the app
// ended before a person answered.
func (b *bridge) ask(names []string) (map[string]bool, bool) {
	p := b.process
	select {
	case <-p.ready:
	case <-p.gone:
		return nil, false
	}
	p.promptMu.Lock()
	defer p.promptMu.Unlock()
	results := map[string]bool{}
	var groups []string
	members := map[string][]string{}
	a, ok := b.system.registry.get(p.app.Name)
	if !ok {
		return nil, false
	}
	for _, name := range names {
		known, g := b.system.known[name], a.Grants[name]
		results[name] = g.Granted
		// The background is not asked for in a dialog: Android sends people to the settings.
		background := strings.HasSuffix(name, "_BACKGROUND") || strings.HasSuffix(name, "_BACKGROUND_LOCATION")
		if g.Granted || !known.Runtime() || !a.asks(b.system.release.API, name) || g.UserFixed || background {
			continue
		}
		group := strings.TrimPrefix(known.Group, "android.permission-group.")
		if members[group] == nil {
			groups = append(groups, group)
		}
		members[group] = append(members[group], name)
	}
	for _, group := range groups {
		if !b.promptGroup(a, group, members[group], results) {
			return nil, false
		}
	}
	return results, true
}

// promptGroup asks for one group and notes the answer.
func (b *bridge) promptGroup(a *app, group string, names []string, results map[string]bool) bool {
	dialog, meanings := permissionPrompt(group, a.Label)
	b.process.setPrompting(true)
	choice, err := b.process.run.Prompt(b.system.life, dialog)
	b.process.setPrompting(false)
	if err != nil || choice < 0 || choice >= len(meanings) {
		return false
	}
	answer := meanings[choice]
	b.system.registry.change(a.Name, func(a *app) {
		for _, name := range names {
			g, ok := a.Grants[name]
			if !ok {
				continue
			}
			g.UserFixed = answer == answerDeny && g.UserSet // the second refusal is the last word
			g.UserSet = answer != answerOnce
			g.Granted, g.OneTime = answer != answerDeny, answer == answerOnce
			a.Grants[name] = g
			results[name] = g.Granted
		}
	})
	return true
}
