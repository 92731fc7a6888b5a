package android

import (
	"context"
	"fmt"
	"image"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// inputCommand is "input".
func (s *System) inputCommand(ctx context.Context, c *shell.Call) int {
	args := c.Args[1:]
	sources := []string{"dpad", "keyboard", "mouse", "touchpad", "gamepad", "touchnavigation", "joystick", "touchscreen", "stylus", "trackball"}
	if len(args) > 0 && slices.Contains(sources, args[0]) {
		args = args[1:]
	}
	if len(args) > 1 && args[0] == "-d" {
		args = args[2:]
	}
	if len(args) == 0 {
		c.Printf("Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]\n\nThe commands that unasked's embedded device has:\n      text <string>\n      keyevent [--longpress] <key code number or name> ...\n      tap <x> <y>\n      swipe <x1> <y1> <x2> <y2> [duration(ms)]\n")
		return 255
	}
	verb, args := args[0], args[1:]
	var err error
	switch verb {
	case "tap":
		var v []int
		if v, err = coordinates(args, 2, 2); err == nil {
			err = s.tap(ctx, v[0], v[1])
		}
	case "swipe", "draganddrop":
		var v []int
		if v, err = coordinates(args, 4, 5); err == nil {
			millis := 300
			if len(v) == 5 {
				millis = min(max(v[4], 0), 60_000)
			}
			if p := s.activities.foreground(); p != nil {
				err = p.run.Swipe(ctx, image.Pt(v[0], v[1]), image.Pt(v[2], v[3]), millis)
			}
		}
	case "text":
		if len(args) != 1 {
			err = illegalArgument("Argument expected after \"text\"")
		} else if p := s.activities.foreground(); p != nil {
			err = p.run.Text(ctx, strings.ReplaceAll(args[0], "%s", " "))
		}
	case "keyevent":
		for _, k := range args {
			if strings.HasPrefix(k, "--") {
				continue
			}
			if err = s.key(ctx, k); err != nil {
				break
			}
		}
	case "motionevent", "roll", "press", "keycombination":
		return c.Errorf("unasked's embedded device does not model %s", verb)
	default:
		fmt.Fprintf(c.Stderr, "Error: Unknown command: %s\n", verb)
		return 255
	}
	if err != nil {
		return thrown(c, verb, err)
	}
	return 0
}

// coordinates are between least and most whole or decimal numbers.
func coordinates(args []string, least, most int) ([]int, error) {
	if len(args) < least || len(args) > most {
		return nil, illegalArgument("Invalid arguments for command: expected %d numbers, got %d", least, len(args))
	}
	var list []int
	for _, a := range args {
		f, err := strconv.ParseFloat(a, 64)
		if err != nil || !(f > -1e6 && f < 1e6) {
			return nil, refusef("java.lang.NumberFormatException: For input string: \"%s\"", a)
		}
		list = append(list, int(f))
	}
	return list, nil
}

// tap touches the screen: the app in front, or an icon of the home screen.
func (s *System) tap(ctx context.Context, x, y int) error {
	if p := s.activities.foreground(); p != nil {
		asked := p.isPrompting()
		err := p.run.Tap(ctx, x, y)
		if err != nil && (asked || ended(p)) {
			// A touch that closes what it touches has arrived, although nothing is left to say so.
			s.log.write(systemServerPID, 1000, 'W', "InputDispatcher", oneLine(err.Error()))
			return nil
		}
		return err
	}
	for _, i := range s.icons() {
		if image.Pt(x, y).In(i.Bounds) {
			_, err := s.launch(ctx, i.Package, i.Class)
			return err
		}
	}
	return nil
}

// key presses a key by its number or name.
func (s *System) key(ctx context.Context, k string) error {
	code, err := strconv.Atoi(k)
	if err != nil {
		name := strings.TrimPrefix(strings.ToUpper(k), "KEYCODE_")
		n, ok := keyCodes[name]
		if !ok {
			return illegalArgument("Unknown keycode: %s", k)
		}
		code = n
	}
	p := s.activities.foreground()
	switch code {
	case keyCodes["HOME"]:
		return s.goHome(ctx)
	case keyCodes["BACK"]:
		if p == nil {
			return nil
		}
		went, err := p.run.Back(ctx)
		if err != nil || went {
			return err
		}
		return s.goHome(ctx)
	}
	if p == nil {
		return nil
	}
	if dom, ok := domKeys[code]; ok {
		return p.run.Key(ctx, dom)
	}
	switch {
	case code >= 7 && code <= 16:
		return p.run.Text(ctx, strconv.Itoa(code-7))
	case code >= 29 && code <= 54:
		return p.run.Text(ctx, string(rune('a'+code-29)))
	}
	if !slices.Contains(slices.Collect(maps.Values(keyCodes)), code) {
		return refusef("unasked's embedded device does not model the key %s", k)
	}
	return nil
}

// keyCodes are the keys of android.view.KeyEvent that this device has, by name.
var keyCodes = map[string]int{
	"HOME": 3, "BACK": 4, "0": 7, "1": 8, "2": 9, "3": 10, "4": 11, "5": 12, "6": 13, "7": 14, "8": 15, "9": 16,
	"DPAD_UP": 19, "DPAD_DOWN": 20, "DPAD_LEFT": 21, "DPAD_RIGHT": 22, "DPAD_CENTER": 23, "VOLUME_UP": 24, "VOLUME_DOWN": 25,
	"POWER": 26, "CLEAR": 28, "A": 29, "B": 30, "C": 31, "D": 32, "E": 33, "F": 34, "G": 35, "H": 36, "I": 37, "J": 38, "K": 39,
	"L": 40, "M": 41, "N": 42, "O": 43, "P": 44, "Q": 45, "R": 46, "S": 47, "T": 48, "U": 49, "V": 50, "W": 51, "X": 52, "Y": 53, "Z": 54,
	"COMMA": 55, "PERIOD": 56, "TAB": 61, "SPACE": 62, "ENTER": 66, "DEL": 67, "MINUS": 69, "AT": 77, "MENU": 82,
	"PAGE_UP": 92, "PAGE_DOWN": 93, "ESCAPE": 111, "FORWARD_DEL": 112, "MOVE_HOME": 122, "MOVE_END": 123, "WAKEUP": 224, "SLEEP": 223,
}

// domKeys are the names that a page knows keys by.
var domKeys = map[int]string{
	19: "ArrowUp", 20: "ArrowDown", 21: "ArrowLeft", 22: "ArrowRight", 23: "Enter", 55: ",", 56: ".", 61: "Tab", 62: " ",
	66: "Enter", 67: "Backspace", 69: "-", 77: "@", 92: "PageUp", 93: "PageDown", 111: "Escape", 112: "Delete", 122: "Home", 123: "End",
}
