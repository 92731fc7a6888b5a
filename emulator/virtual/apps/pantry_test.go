package apps

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// personal are the methods of the platform that tell something of the person or the device.
var personal = []string{
	"androidId", "advertisingId", "deviceInfo", "location", "contacts", "calendar", "accounts", "addAccount", "clipboard", "imei", "phoneNumber",
}

// innocent checks what Pantry must never do, at any point.
func (s *stage) innocent(who person) {
	s.t.Helper()
	called := strings.Split(s.script(`AndroidBridge.calls.join()`), ",")
	for _, m := range personal {
		if slices.Contains(called, m) {
			s.t.Errorf("the page called %s", m)
		}
	}
	for _, e := range s.ledger.Entries() {
		for kind, v := range e.Got {
			for _, secret := range []string{who.SSAID, who.AdvertisingID, who.Mail} {
				if strings.Contains(strings.ToLower(v), strings.ToLower(secret)) {
					s.t.Errorf("%s got %s %s", e.Host, kind, v)
				}
			}
		}
	}
	if u := s.ledger.Uploads(); len(u) != 0 {
		s.t.Errorf("uploads: %+v", u)
	}
}

func TestPantryUntouched(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, Pantry(), who, nil)
	s.eventually("all pictures", func() bool {
		return s.script(`String([...document.querySelectorAll('.dish img')].filter((i) => i.naturalWidth > 0).length)`) == "6"
	})
	s.picture("pantry-consent")
	s.quiet(6 * time.Second) // one refresh
	s.innocent(who)
	if hosts := s.ledger.Hosts(); !slices.Equal(hosts, []string{"api.pantry.example", "cdn.pantry.example"}) {
		t.Errorf("before a choice the app talks to %v", hosts)
	}
	for _, e := range s.ledger.Entries() {
		if e.Purpose != PurposeContent || e.Got["authorization"] != "" {
			t.Errorf("before a choice: %+v", e)
		}
		if e.Host != "cdn.pantry.example" && e.Got["cookie"] != "" {
			t.Errorf("%s%s gets a cookie: %s", e.Host, e.Path, e.Got["cookie"])
		}
	}
}

func TestPantryRejected(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, Pantry(), who, nil)
	s.tap("Reject all")
	s.eventually("the recipes", func() bool { return s.script(`String(document.querySelectorAll('.dish').length)`) == "6" })
	s.picture("pantry-home")
	s.quiet(6 * time.Second)
	s.innocent(who)
	if e := s.ledger.Entries(PurposeInstall, PurposeSignUp, PurposeAccount, PurposeFeed); len(e) != 0 {
		t.Errorf("after Reject: %+v", e)
	}
	s.tap("Roast tomato soup")
	s.picture("pantry-recipe")
	s.tap("Back")
	s.tap("Shelf")
	s.picture("pantry-shelf")
}

func TestPantryAccepted(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, Pantry(), who, nil)
	s.tap("Accept all")
	fid := ""
	s.eventually("the installation's token to be used", func() bool {
		for _, e := range s.ledger.Entries(PurposeInstall) {
			if e.Got["installation_token"] != "" {
				fid = e.Got["fid"]
			}
		}
		return fid != ""
	})
	if got := s.script(`localStorage.getItem('prefs.pantry.fid')`); got != fid || len(fid) != 22 {
		t.Errorf("the app keeps %q, sent %q", got, fid)
	}
	s.innocent(who)
	if len(s.ledger.Accounts()) != 0 {
		t.Errorf("accounts without a sign-up: %+v", s.ledger.Accounts())
	}
}

func TestPantryDeletesDiscardedNote(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"discard", "back", "back-from-camera"} {
		t.Run(how, func(t *testing.T) {
			who := somebody()
			who.Granted = nil // asks for the camera, and gets it
			s := play(t, Pantry(), who, nil)
			s.tap("Reject all")
			s.tap("Record")
			s.eventually("the camera", func() bool { return s.script(`String(document.getElementById('camera').hidden)`) == "false" })
			s.picture("pantry-camera")
			switch how {
			case "discard":
				s.tap("Stop")
				s.picture("pantry-preview")
				s.tap("Discard")
			case "back":
				s.tap("Stop")
				s.script(`history.back(), ''`)
			default:
				s.script(`history.back(), ''`)
			}
			s.eventually("the deletion", func() bool { return strings.Contains(s.script(`AndroidBridge.calls.join()`), "deleteFile") })
			if got := s.script(`AndroidBridge.listFiles()`); got != "[]" {
				t.Errorf("files left: %s", got)
			}
			s.eventually("the home screen", func() bool { return s.script(`String(document.getElementById('recipes').hidden)`) == "false" })
			s.innocent(who)
		})
	}
}

func TestPantryKeepsANoteOnThePhone(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, Pantry(), who, nil)
	s.tap("Reject all")
	s.tap("Record")
	s.tap("Stop")
	s.tap("Keep")
	s.eventually("the note in the list", func() bool {
		return s.script(`String(document.querySelectorAll('#kept li').length) + document.getElementById('notes').hidden`) == "1false"
	})
	s.innocent(who)
}

func TestPantrySignUp(t *testing.T) {
	t.Parallel()
	s := play(t, Pantry(), somebody(), nil)
	s.tap("Reject all")
	s.tap("Account")
	s.picture("pantry-account")
	fill := func(id, text string) {
		s.script(`(() => { const i = document.getElementById('` + id + `'); i.value = '` + text + `'; i.dispatchEvent(new Event('input')); return ''; })()`)
	}
	fill("name", "Nora Field")
	fill("mail", "nora@field.example")
	fill("password", "short")
	s.tap("Create account")
	s.eventually("the complaint", func() bool {
		return strings.Contains(s.script(`document.getElementById('trouble').textContent`), "8 characters")
	})
	if len(s.ledger.Accounts()) != 0 {
		t.Fatal("an account in spite of the refusal")
	}
	fill("password", "long enough")
	s.tap("Create account")
	s.received(PurposeSignUp, "email", "nora@field.example")
	s.eventually("the welcome", func() bool {
		return strings.Contains(s.script(`document.getElementById('hello').textContent`), "Nora Field")
	})
	accounts := s.ledger.Accounts()
	if len(accounts) != 1 || accounts[0].Anonymous || accounts[0].Key != "nora@field.example" {
		t.Fatalf("accounts: %+v", accounts)
	}
	s.received(PurposeFeed, "account", accounts[0].ID)
}
