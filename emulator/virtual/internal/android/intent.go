package android

import (
	"fmt"
	"strings"
)

// The home screen's question.
const (
	actionMain       = "android.intent.action.MAIN"
	categoryLauncher = "android.intent.category.LAUNCHER"
)

// intent is what am's arguments describe, as far as it matters here.
type intent struct {
	Action     string
	Categories []string
	Data, Type string
	Component  string // package/class, as it was given
	Package    string
	Flags      string
	Extras     bool
	Wait       bool // -W
	Stop       bool // -S: stop the app first
}

// parseIntent reads an intent's arguments (android.content.Intent.parseCommandArgs).
func parseIntent(args *argv) (intent, error) {
	var in intent
	for {
		opt, ok := args.option()
		if !ok {
			break
		}
		var err error
		set := func(p *string) { *p, err = args.required(opt) }
		switch opt {
		case "-a":
			set(&in.Action)
		case "-c":
			var c string
			set(&c)
			in.Categories = append(in.Categories, c)
		case "-d":
			set(&in.Data)
		case "-t":
			set(&in.Type)
		case "-n":
			set(&in.Component)
		case "-p":
			set(&in.Package)
		case "-f":
			set(&in.Flags)
		case "-W":
			in.Wait = true
		case "-S":
			in.Stop = true
		case "-D", "-N", "-R", "--brief", "--components", "--activity-brought-to-front", "--activity-clear-top", "--activity-clear-task", "--activity-new-task",
			"--activity-single-top", "--activity-no-animation", "--activity-reset-task-if-needed", "--include-stopped-packages", "--exclude-stopped-packages":
			if opt == "-R" {
				_, err = args.required(opt)
			}
		case "--user", "--display", "--windowingMode", "--activityType", "--query-flags":
			_, err = args.required(opt)
		case "-e", "--es", "--ez", "--ei", "--el", "--ef", "--eu", "--ecn", "--eia", "--esa":
			in.Extras = true
			if _, err = args.required(opt); err == nil {
				_, err = args.required(opt)
			}
		case "--esn":
			in.Extras = true
			_, err = args.required(opt)
		default:
			return in, illegalArgument("Unknown option: %s", opt)
		}
		if err != nil {
			return in, err
		}
	}
	// What is left is a URI, a package or a component.
	if rest, ok := args.next(); ok {
		switch {
		case strings.Contains(rest, ":"):
			in.Data = rest
		case strings.Contains(rest, "/"):
			in.Component = rest
		default:
			in.Package = rest
		}
	}
	if in.Component != "" && (strings.Count(in.Component, "/") != 1 || strings.HasPrefix(in.Component, "/")) {
		return in, illegalArgument("Bad component name: %s", in.Component)
	}
	return in, nil
}

// split is the component's package and full class name.
func (in intent) split() (pkg, class string) {
	pkg, class, _ = strings.Cut(in.Component, "/")
	if strings.HasPrefix(class, ".") {
		class = pkg + class
	}
	return pkg, class
}

// String is the intent as am prints it (android.content.Intent.toString).
func (in intent) String() string {
	var parts []string
	add := func(name, v string) {
		if v != "" {
			parts = append(parts, name+"="+oneLine(v))
		}
	}
	add("act", in.Action)
	if len(in.Categories) > 0 {
		add("cat", "["+strings.Join(in.Categories, ",")+"]")
	}
	add("dat", in.Data)
	add("typ", in.Type)
	add("flg", in.Flags)
	add("pkg", in.Package)
	if in.Component != "" {
		pkg, class := in.split()
		add("cmp", flatten(pkg, class))
	}
	if in.Extras {
		parts = append(parts, "(has extras)")
	}
	return fmt.Sprintf("Intent { %s }", strings.Join(parts, " "))
}
