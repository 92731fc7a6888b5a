package webview

import "strings"

// kind is what a role of the accessibility tree
// (https://www.w3.org/TR/wai-aria-1.2/#role_definitions, and Chromium's own) is
// on Android, after Chromium's BrowserAccessibilityAndroid.
type kind struct {
	class     string
	pressable bool // a person can press it
	checkable bool
	edits     bool // a person can write into it
	leaf      bool // what is written in it is its own text
}

var kinds = map[string]kind{
	"button":             {class: "android.widget.Button", pressable: true, leaf: true},
	"checkbox":           {class: "android.widget.CheckBox", pressable: true, checkable: true, leaf: true},
	"switch":             {class: "android.widget.ToggleButton", pressable: true, checkable: true, leaf: true},
	"radio":              {class: "android.widget.RadioButton", pressable: true, checkable: true, leaf: true},
	"menuitemcheckbox":   {class: "android.widget.CheckBox", pressable: true, checkable: true, leaf: true},
	"menuitemradio":      {class: "android.widget.RadioButton", pressable: true, checkable: true, leaf: true},
	"link":               {class: "android.view.View", pressable: true, leaf: true},
	"tab":                {class: "android.view.View", pressable: true, leaf: true},
	"menuitem":           {class: "android.view.MenuItem", pressable: true, leaf: true},
	"option":             {class: "android.view.View", pressable: true, checkable: true, leaf: true},
	"treeitem":           {class: "android.view.View", pressable: true},
	"heading":            {class: "android.widget.TextView", leaf: true},
	"label":              {class: "android.widget.TextView", leaf: true},
	"labeltext":          {class: "android.widget.TextView", leaf: true},
	"statictext":         {class: "android.widget.TextView", leaf: true},
	"textbox":            {class: "android.widget.EditText", pressable: true, edits: true},
	"searchbox":          {class: "android.widget.EditText", pressable: true, edits: true},
	"spinbutton":         {class: "android.widget.EditText", pressable: true, edits: true},
	"combobox":           {class: "android.widget.Spinner", pressable: true},
	"comboboxselect":     {class: "android.widget.Spinner", pressable: true},
	"comboboxmenubutton": {class: "android.widget.Spinner", pressable: true},
	"date":               {class: "android.widget.Spinner", pressable: true},
	"inputtime":          {class: "android.widget.Spinner", pressable: true},
	"colorwell":          {class: "android.widget.Spinner", pressable: true},
	"slider":             {class: "android.widget.SeekBar", pressable: true},
	"progressbar":        {class: "android.widget.ProgressBar"},
	"meter":              {class: "android.widget.ProgressBar"},
	"image":              {class: "android.widget.Image"},
	"img":                {class: "android.widget.Image"},
	"canvas":             {class: "android.widget.Image"},
	"list":               {class: "android.widget.ListView"},
	"listbox":            {class: "android.widget.ListView"},
	"table":              {class: "android.widget.GridView"},
	"grid":               {class: "android.widget.GridView"},
	"tablist":            {class: "android.widget.TabWidget"},
	"dialog":             {class: "android.app.Dialog"},
	"alertdialog":        {class: "android.app.Dialog"},
	"disclosuretriangle": {class: "android.widget.Button", pressable: true, leaf: true},
}

func kindOf(role string) kind {
	if k, ok := kinds[strings.ToLower(role)]; ok {
		return k
	}
	return kind{class: "android.view.View"}
}
