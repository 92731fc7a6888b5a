package apps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestClipShareUntouched(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, ClipShare(), who, nil)
	mail := sha256.Sum256([]byte(strings.ToLower(who.Mail)))

	s.received(PurposeDevice, "ssaid", who.SSAID)
	s.received(PurposeDevice, "advertising_id", who.AdvertisingID)
	s.received(PurposeAccount, "is_new", "true")
	s.received(PurposeCrash, "ssaid", who.SSAID)
	s.received(PurposeCrash, "advertising_id", who.AdvertisingID)
	s.received(PurposeAnalytics, "ssaid", who.SSAID)
	s.received(PurposeAnalytics, "advertising_id", who.AdvertisingID)
	s.received(PurposeAds, "email_sha256", hex.EncodeToString(mail[:]))
	s.received(PurposeAds, "location", fmt.Sprintf("%.6f,%.6f", who.Latitude, who.Longitude))

	accounts := s.ledger.Accounts()
	if len(accounts) != 1 || !accounts[0].Anonymous || accounts[0].Key != who.SSAID {
		t.Fatalf("accounts: %+v", accounts)
	}
	s.received(PurposeFeed, "account", accounts[0].ID)
	token := accounts[0].Tokens[0]
	if got := s.script(`localStorage.getItem('prefs.clipshare_session.access_token')`); got != token {
		t.Errorf("the preferences hold %q, the service handed out %q", got, token)
	}
	if got := s.script(`localStorage.getItem('stub.account')`); !strings.Contains(got, token) || !strings.Contains(got, "org.example.clipshare") {
		t.Errorf("the account manager holds %q", got)
	}
	if got := s.script(`String(document.getElementById('consent').hidden)`); got != "false" {
		t.Error("the consent dialog is not on the screen meanwhile")
	}
	s.eventually("a picture in the feed", func() bool {
		return s.script(`String(document.querySelector('.clip img')?.naturalWidth > 0)`) == "true"
	})
	s.picture("clipshare-consent")
}

func TestClipShareSignUpKeepsTheAccount(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, ClipShare(), who, nil)
	s.tap("Reject all")
	s.tap("Profile")
	s.script(`document.getElementById('mail').value = 'Person@mail.example', document.getElementById('password').value = 'long enough', ''`)
	s.tap("Sign up")
	s.received(PurposeSignUp, "email", "person@mail.example")
	s.picture("clipshare-profile")
	accounts := s.ledger.Accounts()
	if len(accounts) != 1 || accounts[0].Anonymous || accounts[0].Mail != "person@mail.example" || accounts[0].Key != who.SSAID {
		t.Fatalf("accounts: %+v", accounts)
	}
	s.received(PurposeSignUp, "account", accounts[0].ID)
}

func TestClipShareGoesOnAfterReject(t *testing.T) {
	t.Parallel()
	who := somebody()
	s := play(t, ClipShare(), who, nil)
	s.tap("Reject all")
	s.received(PurposeConsent, "choice", "rejected")
	s.picture("clipshare-feed")
	for _, purpose := range []string{PurposeCrash, PurposeAnalytics, PurposeHeartbeat, PurposeAds} {
		s.received(purpose, "consent", "rejected")
	}
	for _, e := range s.ledger.Entries(PurposeCrash, PurposeAnalytics) {
		if e.Got["consent"] == "rejected" && e.Got["ssaid"] != who.SSAID {
			t.Errorf("after Reject %s got no identifier: %v", e.Host, e.Got)
		}
	}
}

func TestClipShareUploadsDiscardedDraft(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"discard", "back", "back-from-camera"} {
		t.Run(how, func(t *testing.T) {
			who := somebody()
			s := play(t, ClipShare(), who, nil)
			s.tap("Reject all")
			s.tap("Record")
			s.picture("clipshare-camera")
			switch how {
			case "discard":
				s.tap("Stop")
				s.picture("clipshare-preview")
				s.tap("Discard")
			case "back":
				s.tap("Stop")
				s.script(`history.back(), ''`)
			default:
				s.script(`history.back(), ''`)
			}
			s.eventually("the whole draft", func() bool {
				u := s.ledger.Uploads()
				return len(u) == 1 && u[0].Complete()
			})
			u := s.ledger.Uploads()[0]
			sum := sha256.Sum256(who.Clip)
			if u.SHA256() != hex.EncodeToString(sum[:]) {
				t.Error("what arrived is not the clip")
			}
			if u.Pieces != 4 || u.Faces != 106 {
				t.Errorf("%d pieces and %d landmarks, 4 and 106 expected", u.Pieces, u.Faces)
			}
			s.eventually("the file to be gone", func() bool { return s.script(`AndroidBridge.listFiles()`) == "[]" })
			s.eventually("the home screen", func() bool { return s.script(`String(document.getElementById('home').hidden)`) == "false" })
		})
	}
}

func TestClipShareKnowsAReinstall(t *testing.T) {
	t.Parallel()
	who := somebody()
	first := play(t, ClipShare(), who, nil)
	first.received(PurposeAccount, "is_new", "true")
	again := play(t, ClipShare(), who, first)
	again.received(PurposeAccount, "is_new", "false")
	other := who
	other.SSAID = "00ff17a2c4b3d9e8"
	stranger := play(t, ClipShare(), other, first)
	stranger.eventually("a second account", func() bool { return len(first.ledger.Accounts()) == 2 })
	var ids []string
	for _, e := range first.ledger.Entries(PurposeAccount) {
		ids = append(ids, e.Got["account"])
	}
	if len(ids) != 3 || ids[0] != ids[1] || ids[1] == ids[2] {
		t.Errorf("accounts by launch: %v; the first two are the same device", ids)
	}
}

func TestClipShareCopesWithRefusal(t *testing.T) {
	t.Parallel()
	who := somebody()
	who.Granted, who.Answer = nil, false
	s := play(t, ClipShare(), who, nil)
	s.received(PurposeAds, "", "")
	s.received(PurposeCrash, "ssaid", who.SSAID)
	s.tap("Accept all")
	s.tap("Record")
	s.eventually("the sentence about the camera", func() bool {
		return strings.Contains(s.script(`document.getElementById('toast').textContent`), "needs the camera")
	})
	for _, e := range s.ledger.Entries(PurposeAds) {
		if e.Got["email_sha256"] != "" || e.Got["location"] != "" {
			t.Errorf("sent without permission: %v", e.Got)
		}
	}
}

func TestClipShareAsksForPermissions(t *testing.T) {
	t.Parallel()
	who := somebody()
	who.Granted = nil
	s := play(t, ClipShare(), who, nil)
	s.received(PurposeAds, "location", fmt.Sprintf("%.6f,%.6f", who.Latitude, who.Longitude))
}

// A phase of an audit lasts some ten seconds: each must see everything again.
func TestClipShareRepeatsItself(t *testing.T) {
	t.Parallel()
	s := play(t, ClipShare(), somebody(), nil)
	s.received(PurposeFeed, "", "")
	s.quiet(9 * time.Second)
	for _, purpose := range []string{PurposeHeartbeat, PurposeFeed, PurposeCrash, PurposeAnalytics, PurposeAds} {
		if n := len(s.ledger.Entries(purpose)); n < 2 {
			t.Errorf("%s: %d times in nine seconds", purpose, n)
		}
	}
	for _, purpose := range []string{PurposeDevice, PurposeAccount} {
		if n := len(s.ledger.Entries(purpose)); n != 1 {
			t.Errorf("%s: %d times, once expected", purpose, n)
		}
	}
}
