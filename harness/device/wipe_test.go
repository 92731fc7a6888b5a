package device

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/canary"
)

// What an arm run has to take away, and nothing else.
func TestWipe(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	run := func(script string) string {
		t.Helper()
		out, err := d.shell(ctx, script)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	run("mkdir -p /sdcard/DCIM; echo mine > '/sdcard/DCIM/my photo.jpg'; echo list > /sdcard/list.txt")
	before, err := d.SharedFiles(ctx)
	if err != nil || before["/sdcard/DCIM/my photo.jpg"] == "" || before["/sdcard/list.txt"] == "" {
		t.Fatalf("%v, %v", before, err)
	}
	run("echo id > /sdcard/DCIM/.hidden; mkdir -p '/sdcard/a b'; echo id > \"/sdcard/a b/it's.txt\"; echo more >> /sdcard/list.txt")
	removed, changed, err := d.WipeShared(ctx, before)
	if want := []string{"/sdcard/DCIM/.hidden", "/sdcard/a b/it's.txt"}; err != nil || !slices.Equal(removed, want) || !slices.Equal(changed, []string{"/sdcard/list.txt"}) {
		t.Errorf("removed %q, changed %q, %v", removed, changed, err)
	}
	if after, err := d.SharedFiles(ctx); err != nil || !slices.Equal(slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before))) {
		t.Errorf("left %v, %v", after, err)
	}

	undo, err := d.StopBackup(ctx)
	if err != nil || undo == nil || !strings.Contains(run("bmgr enabled"), "disabled") {
		t.Fatalf("backups are on: %v", err)
	}
	if again, err := d.StopBackup(ctx); err != nil || again != nil {
		t.Errorf("what was off is turned on at the end: %v", err)
	}
	if err := undo(ctx); err != nil || !strings.Contains(run("bmgr enabled"), "currently enabled") {
		t.Errorf("backups stay off: %v", err)
	}
}

func TestWithdraw(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	if err := d.Root(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Install(ctx, []string{apk(t, apps.Pantry())}); err != nil {
		t.Fatal(err)
	}
	x, y := canary.Derive([]byte("seed"), "X"), canary.Derive([]byte("seed"), "Y")
	plant := func(id canary.Identity, kinds ...canary.Kind) {
		t.Helper()
		for _, k := range kinds {
			if p := d.Plant(ctx, canary.Canary{Kind: k, Value: id.Value(k)}, apps.Pantry().Package); !p.OK {
				t.Fatalf("%+v", p)
			}
		}
	}
	all := []canary.Kind{canary.SSAID, canary.AdvertisingID, canary.Name, canary.Phone, canary.ContactName, canary.CalendarEvent, canary.Location, canary.Clipboard, canary.DeviceName, canary.Email}
	traces := func() string {
		out, err := d.shell(ctx, "cat "+ssaidFile+" "+adFile+"; content query --uri content://com.android.contacts/data; content query --uri content://com.android.calendar/events; settings list global; dumpsys location; dumpsys account; cmd clipboard get-primary-clip")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plant(x, all...)
	if err := d.Withdraw(ctx, canary.Phone); err != nil {
		t.Fatal(err)
	}
	if got := traces(); strings.Contains(got, x.Value(canary.Phone)) || !strings.Contains(got, x.Value(canary.Name)) || !strings.Contains(got, x.Value(canary.SSAID)) {
		t.Error("the number was not taken back alone")
	}
	if err := d.Withdraw(ctx, all...); err != nil {
		t.Fatal(err)
	}
	plant(y, all...)
	got := traces()
	for _, k := range all {
		if strings.Contains(got, x.Value(k)) && k != canary.Location {
			t.Errorf("%s of the identity before is left", k)
		}
	}
	if err := d.Unplant(ctx); err != nil {
		t.Fatal(err)
	}
	got = traces()
	for _, k := range all {
		if strings.Contains(got, y.Value(k)) {
			t.Errorf("%s is left", k)
		}
	}
}
