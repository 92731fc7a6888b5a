package virtual

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

func TestWhatCannotBeAcquired(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		options Options
		spec    emulator.Spec
		want    string
	}{
		{"an Android that there is none of", t.Context(), Options{}, emulator.Spec{API: 33}, "ask for 30 (Android 11) or 34 (Android 14)"},
		{"no locale", t.Context(), Options{}, emulator.Spec{Locale: "en US"}, `the locale "en US" is no BCP 47 tag`},
		{"nowhere to keep files", t.Context(), Options{Dir: "/nonexistent"}, emulator.Spec{}, "/nonexistent"},
		{"too late", done, Options{}, emulator.Spec{}, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := New(c.options).Acquire(c.ctx, c.spec)
			if err == nil {
				t.Fatal("acquired ", l.Serial())
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestTheWorldOfALease(t *testing.T) {
	in, err := internet.New()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.Handle("service.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })); err != nil {
		t.Fatal(err)
	}
	l, err := New(Options{Internet: in, Dir: t.TempDir()}).Acquire(t.Context(), emulator.Spec{API: 30, Locale: "de-DE"})
	if err != nil {
		t.Fatal(err)
	}
	network := l.Network()
	client := &http.Client{Transport: &http.Transport{DialContext: network.Dial, TLSClientConfig: &tls.Config{RootCAs: network.Roots}, DisableKeepAlives: true}}
	res, err := client.Get("https://service.example/")
	if err != nil || res.StatusCode != http.StatusTeapot {
		t.Errorf("the service: %v", err)
	}
	if err == nil {
		res.Body.Close()
	}
	var unknown *net.DNSError
	if _, err := network.Dial(t.Context(), "tcp", "elsewhere.example:443"); !errors.As(err, &unknown) || !unknown.IsNotFound {
		t.Errorf("a name that is nobody's: %v", err)
	}
	if !l.Simulated() || l.Serial() != l.ConnectTo() {
		t.Errorf("simulated %t, serial %s, connect to %s", l.Simulated(), l.Serial(), l.ConnectTo())
	}
	for range 2 {
		if err := l.Release(t.Context()); err != nil {
			t.Errorf("release: %v", err)
		}
	}
	if c, err := net.DialTimeout("tcp", l.ConnectTo(), time.Second); err == nil {
		c.Close()
		t.Error("a released device still listens")
	}
	if _, err := in.Dial(t.Context(), "tcp", "service.example:443"); err != nil {
		t.Errorf("Release closed an internet that was the caller's: %v", err)
	}
}

func TestRebootAndReset(t *testing.T) {
	l, a := borrow(t, Options{})
	a.want("root")
	a.want("wait-for-device")
	a.want("reverse", "tcp:7000", "tcp:7001")
	a.want("shell", "mount -t tmpfs tmpfs /system/etc/security/cacerts; settings put global kept yes")
	if n := a.want("shell", "ls /system/etc/security/cacerts"); n != "" {
		t.Errorf("mounted over, the folder holds %q", n)
	}
	a.want("reboot")
	a.want("wait-for-device")
	got := a.want("shell", "id -u; settings get global kept; settings get global boot_count; ls /system/etc/security/cacerts | wc -l")
	if got != "2000\nyes\n2\n1\n" {
		t.Errorf("after the reboot: %q", got)
	}
	if got := strings.TrimSpace(a.want("reverse", "--list")); got != "" {
		t.Errorf("adb reverse outlived the reboot: %q", got)
	}
	if _, errs, code := a.try("shell", "reboot recovery"); code == 0 || !strings.Contains(errs, "has no recovery to boot into") {
		t.Errorf("reboot recovery: exit code %d, %s", code, errs)
	}
	a.want("reverse", "tcp:7000", "tcp:7001")
	if err := l.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.want("shell", "settings get global kept; settings get global boot_count"); got != "null\n1\n" {
		t.Errorf("after Reset: %q", got)
	}
	a.want("reverse", "tcp:7000", "tcp:7002") // the port is free again
}

func TestTwoDevicesAreTwo(t *testing.T) {
	p := New(Options{Dir: t.TempDir()})
	var ids []string
	for range 2 {
		l, err := p.Acquire(t.Context(), emulator.Spec{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Release(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		data, err := l.(*lease).device.FS().Image().ReadFile("/data/system/users/0/settings_ssaid.xml")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(data))
	}
	if ids[0] == ids[1] {
		t.Error("two devices have the same identifiers")
	}
}
