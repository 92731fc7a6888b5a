package device

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/unasked-audit/unasked/harness/adb"
)

// Tap touches the screen at a pixel.
func (d *Device) Tap(ctx context.Context, x, y int) error {
	if _, err := d.run(ctx, "input", "tap", strconv.Itoa(x), strconv.Itoa(y)); err != nil {
		return fmt.Errorf("tap %d,%d: %w", x, y, err)
	}
	return nil
}

// Swipe draws a finger over the screen from one pixel to another in the given time.
func (d *Device) Swipe(ctx context.Context, x1, y1, x2, y2 int, lasts time.Duration) error {
	_, err := d.run(ctx, "input", "swipe", strconv.Itoa(x1), strconv.Itoa(y1), strconv.Itoa(x2), strconv.Itoa(y2), strconv.FormatInt(lasts.Milliseconds(), 10))
	if err != nil {
		return fmt.Errorf("swipe %d,%d to %d,%d: %w", x1, y1, x2, y2, err)
	}
	return nil
}

// Text types into whatever has the focus. Android's input command knows only
// the characters of a US keyboard; others are an error before anything is typed.
func (d *Device) Text(ctx context.Context, text string) error {
	for _, r := range text {
		if r > unicode.MaxASCII || r < ' ' {
			return fmt.Errorf("type %q: Android's input command can't type %q", text, r)
		}
	}
	for _, part := range inputParts(text) {
		if _, err := d.shell(ctx, "input text "+adb.Quote(part)); err != nil {
			return fmt.Errorf("type %q: %w", text, err)
		}
	}
	return nil
}

// inputParts writes a text as input wants it: "%s" stands for a space, so a "%s"
// that is meant as it is goes in two parts.
func inputParts(text string) []string {
	var parts []string
	for i, p := range strings.Split(text, "%s") {
		if i > 0 {
			parts[len(parts)-1] += "%"
			p = "s" + p
		}
		parts = append(parts, p)
	}
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, " ", "%s")
	}
	if text == "" {
		return nil
	}
	return parts
}

// Key presses a key by Android's name for it, such as "KEYCODE_BACK" or "BACK".
func (d *Device) Key(ctx context.Context, code string) error {
	if _, err := d.run(ctx, "input", "keyevent", code); err != nil {
		return fmt.Errorf("press %s: %w", code, err)
	}
	return nil
}

// Home leaves the app by the home key; it goes on in the background.
func (d *Device) Home(ctx context.Context) error { return d.Key(ctx, "KEYCODE_HOME") }

// Back presses the back key.
func (d *Device) Back(ctx context.Context) error { return d.Key(ctx, "KEYCODE_BACK") }
