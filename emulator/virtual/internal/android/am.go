package android

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// activityCommand is "am", or "cmd activity".
func (s *System) activityCommand(ctx context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	verb, ok := args.next()
	if !ok {
		verb = "help"
	}
	switch verb {
	case "start", "start-activity":
		return s.amStart(ctx, c, args)
	case "force-stop", "stop-app", "kill":
		userOptions(args)
		name, ok := args.next()
		if !ok {
			return thrown(c, verb, illegalArgument("Argument required"))
		}
		if verb == "kill" {
			// Only what is in the background may be killed.
			if p := s.activities.foreground(); p != nil && p.app.Name == name {
				return 0
			}
		}
		if err := s.stop(ctx, name, "from pid "+fmt.Sprint(systemServerPID)); err != nil {
			return complain(c, err)
		}
		if verb != "kill" {
			s.registry.change(name, func(a *app) { a.Stopped = true })
		}
		return 0
	case "kill-all":
		front := s.activities.foreground()
		for _, p := range s.activities.running() {
			if p != front {
				if err := s.stop(ctx, p.app.Name, "kill all"); err != nil {
					return complain(c, err)
				}
			}
		}
		return 0
	case "get-current-user":
		c.Printf("0\n")
		return 0
	case "stack", "task":
		if sub, _ := args.next(); sub == "list" {
			c.Printf("%s", s.dumpActivities())
			return 0
		}
	case "wait-for-broadcast-idle", "wait-for-broadcast-barrier":
		c.Printf("All broadcast queues are idle!\n")
		return 0
	case "broadcast", "startservice", "start-service", "start-foreground-service", "instrument", "stopservice", "stop-service", "dumpheap", "profile", "trace-ipc", "bug-report", "crash":
		return c.Errorf("unasked's embedded device does not model %s: apps on it have no compiled code to answer", verb)
	case "help":
		c.Printf("Activity manager (activity) commands that unasked's embedded device has:\n  start, force-stop, stop-app, kill, kill-all, get-current-user, stack list\n")
		return 0
	}
	return unknown(c, verb)
}

// resolve finds the activity that an intent means.
func (s *System) resolve(in intent) (pkg, class string, err error) {
	if in.Component != "" {
		pkg, class = in.split()
		return pkg, class, nil
	}
	if in.Action == actionMain && slices.Contains(in.Categories, "android.intent.category.HOME") {
		return homePackage, homePackage + ".Home", nil
	}
	for _, a := range s.registry.all() {
		if a.Kept || a.Disabled || in.Package != "" && in.Package != a.Name || in.Package == "" {
			continue
		}
		if l, ok := a.launcher(); ok && (in.Action == "" || in.Action == actionMain) {
			return a.Name, l.Name, nil
		}
	}
	return "", "", errNoActivity
}

func (s *System) amStart(ctx context.Context, c *shell.Call, args *argv) int {
	in, err := parseIntent(args)
	if err != nil {
		return thrown(c, "start", err)
	}
	pkg, class, err := s.resolve(in)
	if in.Stop && pkg != "" {
		c.Printf("Stopping: %s\n", pkg)
		if err := s.stop(ctx, pkg, "start -S"); err != nil {
			return complain(c, err)
		}
	}
	c.Printf("Starting: %s\n", in)
	if err != nil {
		fmt.Fprintf(c.Stderr, "Error: Activity not started, unable to resolve %s\n", in)
		return 1
	}
	if pkg == homePackage {
		if err := s.goHome(ctx); err != nil {
			return complain(c, err)
		}
		return 0
	}
	result, err := s.launch(ctx, pkg, class)
	var cannot *cannotRun
	switch {
	case errors.Is(err, errNoActivity):
		fmt.Fprintf(c.Stderr, "Error type 3\nError: Activity class {%s/%s} does not exist.\n", pkg, class)
		return 1
	case errors.As(err, &cannot):
		s.log.write(systemServerPID, 1000, 'E', "ActivityManager", cannot.text)
		fmt.Fprintf(c.Stderr, "Error: Activity not started, %s\n", cannot.text)
		return 1
	case err != nil:
		s.log.write(systemServerPID, 1000, 'E', "ActivityManager", err.Error())
		fmt.Fprintf(c.Stderr, "Error: Activity not started, %s\n", oneLine(err.Error()))
		return 1
	}
	if result.topmost {
		fmt.Fprint(c.Stderr, "Warning: Activity not started, intent has been delivered to currently running top-most instance.\n")
	} else if result.reused {
		fmt.Fprint(c.Stderr, "Warning: Activity not started, its current task has been brought to the front\n")
	}
	if in.Wait {
		state := "COLD"
		if result.reused {
			state = "HOT"
		}
		took := max(result.took.Milliseconds(), 1)
		c.Printf("Status: ok\nLaunchState: %s\nActivity: %s\nTotalTime: %d\nWaitTime: %d\nComplete\n", state, result.component, took, took+2)
	}
	return 0
}

// monkey knows one trick: with one event and the launcher's category it starts an app.
func (s *System) monkey(ctx context.Context, c *shell.Call) int {
	var packages []string
	count := ""
	for i := 1; i < len(c.Args); i++ {
		switch a := c.Args[i]; {
		case a == "-p" && i+1 < len(c.Args):
			i++
			packages = append(packages, c.Args[i])
		case (a == "-c" || a == "-s" || a == "--throttle" || strings.HasPrefix(a, "--pct-")) && i+1 < len(c.Args):
			i++
		case strings.HasPrefix(a, "-"):
		default:
			count = a
		}
	}
	if len(packages) != 1 || count != "1" {
		return c.Errorf("unasked's embedded device models only monkey -p PACKAGE -c %s 1", categoryLauncher)
	}
	a, ok := s.registry.get(packages[0])
	l := ""
	if ok {
		if x, found := a.launcher(); found {
			l = x.Name
		}
	}
	if l == "" {
		fmt.Fprint(c.Stderr, "** No activities found to run, monkey aborted.\n")
		return 252
	}
	if _, err := s.launch(ctx, a.Name, l); err != nil {
		fmt.Fprintf(c.Stderr, "** Error: %s\n", oneLine(err.Error()))
		return 1
	}
	c.Printf("Events injected: 1\n## Network stats: elapsed time=12ms (0ms mobile, 0ms wifi, 12ms not connected)\n")
	return 0
}

// focus is the component in front and its names, as window and activity manager print them.
type focus struct {
	component string // short
	full      string // package/class
	record    string
	window    string
	task      int
	prompting bool
}

func (s *System) focus() focus {
	p := s.activities.foreground()
	if p == nil {
		return focus{component: homePackage + "/.Home", full: homePackage + "/" + homePackage + ".Home", record: "a0e0001", window: "a0e0002", task: 1}
	}
	return focus{component: p.component(), full: p.app.Name + "/" + p.class, record: p.record, window: p.window, task: p.task, prompting: p.isPrompting()}
}

// dumpActivities is "dumpsys activity activities".
func (s *System) dumpActivities() string {
	f := s.focus()
	record := fmt.Sprintf("ActivityRecord{%s u0 %s t%d}", f.record, f.component, f.task)
	top := record
	if f.prompting {
		top = fmt.Sprintf("ActivityRecord{%s u0 %s/com.android.permissioncontroller.permission.ui.GrantPermissionsActivity t%d}", f.window, permissionController, f.task)
	}
	var b strings.Builder
	b.WriteString("ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)\nDisplay #0 (activities from top to bottom):\n")
	list := s.activities.running()
	slices.SortFunc(list, func(x, y *process) int {
		if front := s.activities.foreground(); x == front || y == front {
			if x == front {
				return -1
			}
			return 1
		}
		return y.task - x.task
	})
	for _, p := range list {
		state := "STOPPED"
		if p == s.activities.foreground() {
			state = "RESUMED"
		}
		fmt.Fprintf(&b, "  * Task{%s #%d type=standard A=%d:%s U=0 visible=%t visibleRequested=%t mode=fullscreen translucent=false sz=1}\n", p.window, p.task, p.app.UID, p.app.Name, state == "RESUMED", state == "RESUMED")
		fmt.Fprintf(&b, "    * Hist  #0: ActivityRecord{%s u0 %s t%d}\n        packageName=%s processName=%s\n        launchedFromUid=2000 launchedFromPackage=com.android.shell userId=0\n        app=ProcessRecord{%s %d:%s/u0a%d}\n        state=%s\n",
			p.record, p.component(), p.task, p.app.Name, p.app.Name, p.window, p.pid, p.app.Name, p.app.UID-10000, state)
	}
	fmt.Fprintf(&b, "\n  topResumedActivity=%s\n  mResumedActivity: %s\n  mFocusedApp=%s\n  ResumedActivity: %s\n", top, top, top, top)
	return b.String()
}

// dumpTop is "dumpsys activity top".
func (s *System) dumpTop() string {
	f := s.focus()
	pid := 912
	if p := s.activities.foreground(); p != nil {
		pid = p.pid
	}
	return fmt.Sprintf("TASK %s id=%d userId=0\n  ACTIVITY %s %s pid=%d userId=0\n    mResumed=true mStopped=false mFinished=false\n", strings.SplitN(f.full, "/", 2)[0], f.task, f.component, f.record, pid)
}

// dumpWindow is what people look for in "dumpsys window".
func (s *System) dumpWindow() string {
	f := s.focus()
	window := f.full
	if f.prompting {
		window = permissionController + "/com.android.permissioncontroller.permission.ui.GrantPermissionsActivity"
	}
	p, _ := s.display.current()
	size := fmt.Sprintf("init=%dx%d %ddpi cur=%dx%d app=%dx%d", screenSize.X, screenSize.Y, screenDPI, p.X, p.Y, p.X, p.Y)
	return fmt.Sprintf("WINDOW MANAGER WINDOWS (dumpsys window windows)\n  Display: mDisplayId=0\n    %s\n  mCurrentFocus=Window{%s u0 %s}\n  mFocusedApp=ActivityRecord{%s u0 %s t%d}\n", size, f.window, window, f.record, f.component, f.task)
}
