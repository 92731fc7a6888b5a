package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/canary"
)

const (
	ssaidFile = "/data/system/users/0/settings_ssaid.xml"
	workFile  = "/data/local/tmp/unasked-planting.xml"
	// Where Android keeps the advertising id: with the services that hand it out.
	adOwner = "com.google.android.gms"
	adFile  = "/data/data/" + adOwner + "/shared_prefs/adid_settings.xml"
)

// plantSSAID writes the app's own ANDROID_ID into the file that Android keeps
// them in. A real Android reads the file when it starts, and keeps it in memory
// until then: there, what was written is not yet what the app gets, and the
// planting says so.
func (d *Device) plantSSAID(ctx context.Context, value, pkg string) planting {
	p := planting{how: "an entry in " + ssaidFile}
	uid, err := d.UID(ctx, pkg)
	if err != nil {
		p.err = err
		return p
	}
	old, binary, err := d.readSettings(ctx, ssaidFile)
	if err != nil {
		p.err = err
		return p
	}
	changed, err := putSSAID(old, uid, pkg, value)
	if err == nil {
		err = d.writeSettings(ctx, ssaidFile, changed, binary)
	}
	if err != nil {
		p.err = err
		return p
	}
	d.onWithdraw(canary.SSAID, "the app's ANDROID_ID", func(ctx context.Context) error {
		now, binary, err := d.readSettings(ctx, ssaidFile)
		if err != nil {
			return err
		}
		without, err := dropSSAID(now, uid)
		if err != nil {
			return err
		}
		return d.writeSettings(ctx, ssaidFile, without, binary)
	})
	again, _, err := d.readSettings(ctx, ssaidFile)
	if err == nil {
		p.readBack, err = getSSAID(again, uid)
	}
	if p.err = err; err != nil {
		return p
	}
	if simulated, err := d.Property(ctx, simulatedProperty); err != nil || simulated != "1" {
		p.err = errors.New("written, but Android reads it only when it starts: restart the device before the app is launched")
	}
	return p
}

// binaryXML is how Android's binary XML begins, which its settings are in since Android 12.
const binaryXML = "ABX\x00"

// readSettings reads one of the framework's XML files as text; nil where there is none.
func (d *Device) readSettings(ctx context.Context, name string) (text []byte, binary bool, err error) {
	out, err := d.rootShell(ctx, "if [ -e "+name+" ]; then cat "+name+"; fi")
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	if !strings.HasPrefix(out, binaryXML) {
		return []byte(out), false, nil
	}
	out, err = d.rootShell(ctx, "cp "+name+" "+workFile+" && abx2xml -i "+workFile+" && cat "+workFile+"; c=$?; rm -f "+workFile+"; exit $c")
	if err != nil {
		return nil, true, fmt.Errorf("read %s, which is binary XML: %w", name, err)
	}
	return []byte(out), true, nil
}

// writeSettings replaces such a file's content; owner, mode and label stay where it existed.
func (d *Device) writeSettings(ctx context.Context, name string, text []byte, binary bool) error {
	if err := d.adb.Push(ctx, bytes.NewReader(text), workFile, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	script := "cat " + workFile + " > " + name
	if binary {
		script = "xml2abx -i " + workFile + " && " + script
	}
	// A new file is the system's, as its folder is.
	script = "new=1; [ -e " + name + " ] && new=0; " + script + " && if [ $new = 1 ]; then chown system:system " + name + " && chmod 600 " + name + "; fi"
	if _, err := d.rootShell(ctx, script+"; c=$?; rm -f "+workFile+"; exit $c"); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

var adKey = regexp.MustCompile(`<string name="adid_key">([^<]*)</string>`)

// plantAdvertisingID writes the advertising id where the services that hand it
// out keep it, and ends them so that they read it again.
func (d *Device) plantAdvertisingID(ctx context.Context, id string) planting {
	p := planting{how: "adid_key in " + adFile}
	before, err := d.rootShell(ctx, "if [ -e "+adFile+" ]; then cat "+adFile+"; fi")
	if err != nil {
		p.err = fmt.Errorf("read %s: %w", adFile, err)
		return p
	}
	text := "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n" +
		"    <string name=\"adid_key\">" + html.EscapeString(id) + "</string>\n" +
		"    <boolean name=\"enable_limit_ad_tracking\" value=\"false\" />\n</map>\n"
	if p.err = d.writeAdvertisingID(ctx, text); p.err != nil {
		return p
	}
	d.onWithdraw(canary.AdvertisingID, "the advertising id", func(ctx context.Context) error {
		if before == "" {
			_, err := d.rootShell(ctx, "rm -f "+adFile+"; am force-stop "+adOwner)
			return err
		}
		return d.writeAdvertisingID(ctx, before)
	})
	out, err := d.rootShell(ctx, "cat "+adFile)
	if p.err = err; err == nil {
		if m := adKey.FindStringSubmatch(out); m != nil {
			p.readBack = html.UnescapeString(m[1])
		}
	}
	return p
}

func (d *Device) writeAdvertisingID(ctx context.Context, text string) error {
	uid, err := d.UID(ctx, adOwner)
	if err != nil {
		return fmt.Errorf("this device has no services that hand out an advertising id: %w", err)
	}
	if err := d.adb.Push(ctx, strings.NewReader(text), workFile, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", adFile, err)
	}
	folder := adFile[:strings.LastIndexByte(adFile, '/')]
	owner := fmt.Sprintf("%d:%d", uid, uid)
	script := "am force-stop " + adOwner + "; mkdir -p " + folder + " && cat " + workFile + " > " + adFile +
		" && chown " + owner + " " + folder + " " + adFile + " && chmod 771 " + folder + " && chmod 660 " + adFile
	if _, err := d.rootShell(ctx, script+"; c=$?; rm -f "+workFile+"; exit $c"); err != nil {
		return fmt.Errorf("write %s: %w", adFile, err)
	}
	return nil
}

// plantAccount adds an account to the account manager where the device lets a
// shell do that, which phones don't; there the address goes onto the person's own card among the contacts.
func (d *Device) plantAccount(ctx context.Context, address, pkg string) planting {
	dump, err := d.run(ctx, "dumpsys", "account")
	if err != nil {
		return planting{how: "cmd account add", err: err}
	}
	refused := errors.New("no app on the device serves accounts")
	for _, typ := range accountTypes(dump, pkg) {
		script := "cmd account add --name " + adb.Quote(address) + " --type " + adb.Quote(typ)
		if refused = d.answered(ctx, script); refused != nil {
			continue
		}
		d.onWithdraw(canary.Email, "the account "+address, func(ctx context.Context) error {
			return d.answered(ctx, "cmd account remove --name "+adb.Quote(address)+" --type "+adb.Quote(typ))
		})
		p := planting{how: "an account of the type " + typ + ", by cmd account add"}
		a, _, err := d.Accounts(ctx)
		p.err = err
		for _, acc := range a.Accounts {
			if acc.Name == address && acc.Type == typ {
				p.readBack = acc.Name
			}
		}
		return p
	}
	p := d.plantCard(ctx, canary.Canary{Kind: canary.Email, Value: address}, ownCard, mimeEmail)
	p.how += "; no account, for the device refuses to add one (" + clip(refused.Error()) + ")"
	return p
}
