package device

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/canary"
)

func TestPlantAndUnplant(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	app := apps.Pantry()
	if err := d.Root(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Install(ctx, []string{apk(t, app)}); err != nil {
		t.Fatal(err)
	}
	if p := d.Plant(ctx, canary.Canary{Kind: canary.Clipboard, Value: ""}, app.Package); p.OK {
		t.Errorf("nothing passes for planted: %+v", p)
	}
	id := canary.Derive([]byte("a test's seed of thirty-two byte"), "X")
	refused := map[canary.Kind]bool{canary.IMEI: true, canary.Serial: true, canary.MAC: true}
	for _, c := range id.Canaries {
		p := d.Plant(ctx, c, app.Package)
		if p.OK == refused[c.Kind] || p.OK == (p.Error != "") || p.Kind != string(c.Kind) || p.Value != c.Value {
			t.Errorf("%+v", p)
		}
	}
	people, err := d.query(ctx, contactsURI+"raw_contacts", "display_name", "")
	if err != nil || strings.Join(people, "|") != id.Value(canary.Name)+"|"+id.Value(canary.ContactName) {
		t.Errorf("the address book holds %q, %v", people, err)
	}
	if p := d.Plant(ctx, canary.Canary{Kind: "shoe_size", Value: "44"}, app.Package); p.OK || p.Error == "" {
		t.Errorf("%+v", p)
	}
	if p := d.Plant(ctx, canary.Canary{Kind: canary.SSAID, Value: "0123456789abcdef"}, "org.example.missing"); p.OK || !strings.Contains(p.Error, "not installed") {
		t.Errorf("%+v", p)
	}

	if err := d.Unplant(ctx); err != nil {
		t.Fatal(err)
	}
	traces, err := d.shell(ctx, "cat "+ssaidFile+"; content query --uri content://com.android.contacts/data; content query --uri content://com.android.calendar/events; settings list global; dumpsys location; [ -e "+adFile+" ] && cat "+adFile+"; cmd clipboard get-primary-clip")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range id.Canaries {
		if strings.Contains(traces, c.Value) {
			t.Errorf("%s is left behind", c.Kind)
		}
	}
	if a, _, err := d.Accounts(ctx); err != nil || len(a.Accounts) != 0 {
		t.Errorf("accounts left: %+v, %v", a, err)
	}
}

func TestPlantingsThatAnOlderAndroidRefuses(t *testing.T) {
	d := embedded(t, 30)
	p := d.Plant(t.Context(), canary.Canary{Kind: canary.Location, Value: "52.520007,13.404954"}, "")
	if p.OK || !strings.Contains(p.Error, "Android 12") {
		t.Errorf("%+v", p)
	}
	if p := d.Plant(t.Context(), canary.Canary{Kind: canary.AdvertisingID, Value: "38400000-8cf0-11bd-b23e-10b96e40000d"}, ""); p.OK || !strings.Contains(p.Error, "root") {
		t.Errorf("without root: %+v", p)
	}
}

func TestCameraFeed(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	if err := d.CameraFeed(ctx, "draft.webm", strings.NewReader("what it sees"), 12); err != nil {
		t.Fatal(err)
	}
	if out, err := d.shell(ctx, "cmd media.camera feed"); err != nil || !strings.Contains(out, "draft.webm") {
		t.Errorf("%q, %v", out, err)
	}
	if err := d.Unplant(ctx); err != nil {
		t.Error(err)
	}
	if out, err := d.shell(ctx, "cmd media.camera feed; ls /data/local/tmp"); err != nil || strings.Contains(out, "draft.webm") {
		t.Errorf("left behind: %q, %v", out, err)
	}
	if err := d.CameraFeed(ctx, "../etc/x", strings.NewReader(""), 0); err == nil {
		t.Error("a path passes for a name")
	}
}
