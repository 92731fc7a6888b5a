package device

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// takeup is how one planting is taken back.
type takeup struct {
	kind canary.Kind // whose planting it was; "" for what several share
	what string
	do   func(context.Context) error
}

func (d *Device) onUnplant(what string, do func(context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.undoing = append(d.undoing, takeup{"", what, do})
}

// onWithdraw is onUnplant for what belongs to one kind alone.
func (d *Device) onWithdraw(kind canary.Kind, what string, do func(context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.undoing = append(d.undoing, takeup{kind, what, do})
}

// planting is an attempt to plant: how, what the device answered, what it refused.
type planting struct {
	how, readBack string
	err           error
}

// Plant puts a canary on the device through the device's own interfaces and
// reads it back. pkg is the app that an app-scoped canary is for; it must be
// installed. What the device refuses is part of the answer: nothing is planted in silence, and nothing fails in silence.
func (d *Device) Plant(ctx context.Context, c canary.Canary, pkg string) evidence.Planting {
	p := d.plant(ctx, c, pkg)
	out := evidence.Planting{Kind: string(c.Kind), Value: c.Value, How: p.how, ReadBack: p.readBack}
	out.OK = p.err == nil && c.Value != "" && (strings.Contains(p.readBack, c.Value) || c.Kind == canary.Location && samePlace(p.readBack, c.Value))
	switch {
	case p.err != nil:
		out.Error = p.err.Error()
	case !out.OK:
		out.Error = "the device took it and doesn't show it"
	}
	return out
}

func (d *Device) plant(ctx context.Context, c canary.Canary, pkg string) planting {
	switch c.Kind {
	case canary.SSAID:
		return d.plantSSAID(ctx, c.Value, pkg)
	case canary.AdvertisingID:
		return d.plantAdvertisingID(ctx, c.Value)
	case canary.Email:
		return d.plantAccount(ctx, c.Value, pkg)
	case canary.Name:
		return d.plantCard(ctx, c, ownCard, mimeName)
	case canary.Phone:
		return d.plantCard(ctx, c, ownCard, mimePhone)
	case canary.ContactName:
		return d.plantCard(ctx, c, friendCard, mimeName)
	case canary.ContactPhone:
		return d.plantCard(ctx, c, friendCard, mimePhone)
	case canary.ContactEmail:
		return d.plantCard(ctx, c, friendCard, mimeEmail)
	case canary.CalendarEvent:
		return d.plantEvent(ctx, c.Value)
	case canary.Location:
		return d.plantLocation(ctx, c.Value)
	case canary.Clipboard:
		return d.plantClipboard(ctx, c.Value)
	case canary.DeviceName:
		return d.plantDeviceName(ctx, c.Value)
	case canary.IMEI:
		return planting{err: errors.New("there is no interface in Android that sets the IMEI")}
	case canary.Serial:
		return planting{err: errors.New("there is no interface in Android that sets the hardware's serial number")}
	case canary.MAC:
		return planting{err: errors.New("there is no interface in Android that sets the Wi-Fi address, which apps don't see since Android 10")}
	}
	return planting{err: fmt.Errorf("there is no way known here to plant a canary of the kind %q", c.Kind)}
}

// Unplant takes plantings and the camera's feed back, the last first, and
// removes what this package has left in the device's folder for temporary
// files. It goes on where something can't be taken back, and says so of each.
func (d *Device) Unplant(ctx context.Context) error {
	d.mu.Lock()
	todo := d.undoing
	d.undoing, d.cards = nil, nil
	d.mu.Unlock()
	var all []error
	for i := len(todo) - 1; i >= 0; i-- {
		if err := todo[i].do(ctx); err != nil {
			all = append(all, fmt.Errorf("take %s back from %s: %w", todo[i].what, d, err))
		}
	}
	if _, err := d.shell(ctx, "rm -f "+dumpFile); err != nil {
		all = append(all, fmt.Errorf("remove %s from %s: %w", dumpFile, d, err))
	}
	return errors.Join(all...)
}

func (d *Device) plantDeviceName(ctx context.Context, name string) planting {
	p := planting{how: "settings put global device_name"}
	before, err := d.setting(ctx, "global", "device_name")
	if err == nil {
		err = d.putSetting(ctx, "global", "device_name", name)
	}
	if p.err = err; err != nil {
		return p
	}
	p.readBack = name
	d.onWithdraw(canary.DeviceName, "the device's name", func(ctx context.Context) error {
		if before == "null" || before == "" {
			_, err := d.run(ctx, "settings", "delete", "global", "device_name")
			return err
		}
		return d.putSetting(ctx, "global", "device_name", before)
	})
	return p
}

func (d *Device) plantClipboard(ctx context.Context, text string) planting {
	p := planting{how: "cmd clipboard set-primary-clip"}
	before, err := d.shell(ctx, "cmd clipboard get-primary-clip")
	if err != nil {
		p.err = fmt.Errorf("this Android lets no shell read the clipboard: %w", err)
		return p
	}
	if p.err = d.answered(ctx, "cmd clipboard set-primary-clip "+adb.Quote(text)); p.err != nil {
		p.err = fmt.Errorf("this Android lets no shell set the clipboard: %w", p.err)
		return p
	}
	d.onWithdraw(canary.Clipboard, "the clipboard", func(ctx context.Context) error {
		return d.answered(ctx, "cmd clipboard set-primary-clip "+adb.Quote(strings.TrimRight(before, "\r\n")))
	})
	p.readBack, p.err = d.shell(ctx, "cmd clipboard get-primary-clip")
	p.readBack = strings.TrimRight(p.readBack, "\r\n")
	return p
}

// answered runs a script whose exit code may be 0 on failure: Android's cmd prints why instead.
func (d *Device) answered(ctx context.Context, script string) error {
	res, err := d.ask(ctx, script)
	if err != nil {
		return err
	}
	if err := res.Check(script); err != nil {
		return err
	}
	for _, sign := range []string{"Exception", "Error:", "error:", "Unknown command", "Can't find service", "No shell command implementation"} {
		if text := said(res); strings.Contains(text, sign) {
			return fmt.Errorf("%s: the device says %q", firstWords(script), text)
		}
	}
	return nil
}

func firstWords(script string) string {
	f := strings.Fields(script)
	return strings.Join(f[:min(3, len(f))], " ")
}

const gps = "gps"

// plantLocation makes a test provider of the GPS. Shell commands for that exist from Android 12 (API 31) on.
func (d *Device) plantLocation(ctx context.Context, place string) planting {
	p := planting{how: "cmd location providers set-test-provider-location gps"}
	// Before a test provider can be made, the shell must be the mock location app; root may always.
	d.shell(ctx, "appops set com.android.shell android:mock_location allow")
	for _, script := range []string{
		"cmd location set-location-enabled true",
		"cmd location providers add-test-provider " + gps,
		"cmd location providers set-test-provider-enabled " + gps + " true",
		"cmd location providers set-test-provider-location " + gps + " --location " + adb.Quote(place),
	} {
		if p.err = d.answered(ctx, script); p.err != nil {
			if api, err := d.apiLevel(ctx); err == nil && api < 31 {
				p.err = fmt.Errorf("no shell command sets the location before Android 12 (API 31), and this is API %d: %w", api, p.err)
			}
			return p
		}
	}
	d.onWithdraw(canary.Location, "the location", func(ctx context.Context) error {
		return d.answered(ctx, "cmd location providers remove-test-provider "+gps)
	})
	out, err := d.shell(ctx, "dumpsys location")
	if p.err = err; err == nil {
		if m := lastLocation.FindStringSubmatch(out); m != nil {
			p.readBack = m[1] + "," + m[2]
		}
	}
	return p
}

var lastLocation = regexp.MustCompile(`last location=Location\[` + gps + ` (-?[0-9.]+),(-?[0-9.]+)`)

// samePlace compares two "LATITUDE,LONGITUDE" to the sixth decimal, about a hand's breadth.
func samePlace(a, b string) bool {
	parse := func(s string) (float64, float64, bool) {
		lat, lon, ok := strings.Cut(s, ",")
		x, err1 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
		y, err2 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
		return x, y, ok && err1 == nil && err2 == nil
	}
	x1, y1, ok1 := parse(a)
	x2, y2, ok2 := parse(b)
	return ok1 && ok2 && math.Abs(x1-x2) < 1e-6 && math.Abs(y1-y2) < 1e-6
}
