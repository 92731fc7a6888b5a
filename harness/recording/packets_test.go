package recording

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/tshark"
)

// The values that stand in the captures of testdata: a connection with HTTP/1.1 under
// TLS 1.3 and one with HTTP/2 under TLS 1.2, both behind CONNECT, one in the clear that
// goes over to WebSocket, and one of a protocol of its own. sealed.pcapng has the same
// without the secrets, which are in keys.log.
const (
	mail        = "marigold.kestrel77@example.org"
	advertising = "38400000-8cf0-41bd-b23e-10b96e40000d"
)

func options() Options {
	return Options{Name: "capture", Tool: "unasked 1", Identity: canary.Identity{Label: "t", Canaries: []canary.Canary{{Kind: canary.Email, Value: mail}, {Kind: canary.AdvertisingID, Value: advertising}}}}
}

func needTshark(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed (Debian: apt install tshark), so no capture can be read")
	}
}

// sighted lists where what was found, as lines.
func sighted(t *testing.T, ev evidence.Evidence) []string {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s, err := range judge.Sightings(t.Context(), ev, kb) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(Entry(s.Flow), " ", s.Kind, " ", s.Direction, " ", s.Where, " ", s.Chain, " ", s.Host))
	}
	slices.Sort(out)
	return out
}

func capture(t *testing.T, name, keys string) *Recording {
	t.Helper()
	needTshark(t)
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	o := options()
	o.Keys = keys
	rec, err := File(t.Context(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
	})
	return rec
}

func TestCaptures(t *testing.T) {
	clear := []string{
		"2 email request body:$.m [] c.example",
		"3 advertising_id request ws:0 [] c.example",
		"4 email request body [] 192.0.2.9",
	}
	all := append([]string{
		"0 advertising_id request header:X-Planted [] a.example",
		"0 advertising_id response header:X-Answer [] a.example",
		"1 email request header:x-planted [] b.example",
		"1 email response header:x-answer [] b.example",
	}, clear...)
	for _, c := range []struct {
		name, keys string
		want       []string
		opaque     int
	}{
		{"traffic.pcapng", "", all, 0},
		{"sealed.pcapng", "testdata/keys.log", all, 0},
		{"sealed.pcapng", "", clear, 2},
	} {
		rec := capture(t, c.name, c.keys)
		if got := sighted(t, rec); !slices.Equal(got, c.want) {
			t.Errorf("%s %s:\n%s\nwant\n%s", c.name, c.keys, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		opaque := 0
		for e, err := range rec.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(e.Data), "TLS secrets are neither") {
				opaque++
			}
		}
		if opaque != c.opaque {
			t.Errorf("%s %s: %d connections that can't be read, want %d", c.name, c.keys, opaque, c.opaque)
		}
	}
}

func TestCapturesThatCantBeRead(t *testing.T) {
	needTshark(t)
	magic := "\x0a\x0d\x0d\x0a"
	if _, err := File(t.Context(), strings.NewReader(magic+strings.Repeat("x", 1000)), options()); err == nil || !strings.Contains(err.Error(), "capture: tshark can't read it") {
		t.Errorf("garbage: %v", err)
	}
	o := options()
	o.Keys = "nowhere.log"
	if _, err := File(t.Context(), strings.NewReader(magic), o); err == nil || !strings.Contains(err.Error(), "nowhere.log") {
		t.Errorf("no keys: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := File(t.Context(), strings.NewReader(magic), options()); !errors.Is(err, tshark.ErrMissing) || !strings.Contains(err.Error(), "apt install tshark") {
		t.Errorf("no tshark: %v", err)
	}
}

// Whatever a connection carried, reading it ends, and what it says is evidence.
func FuzzStream(f *testing.F) {
	request := "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
	f.Add([]byte(request), []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	f.Add([]byte("CONNECT h:1 HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x00"), []byte("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 S\r\n\r\n\x81\x01a"))
	f.Add([]byte(preface+"\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84"), []byte("\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88"))
	f.Add([]byte("PUT / HTTP/1.0\nContent-Length: 99999999999\n\nx"), []byte{})
	f.Add([]byte("\x00"), []byte("\x01"))
	f.Fuzz(func(t *testing.T, up, down []byte) {
		im, err := begin(options(), strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)
		s := &tshark.Stream{Client: "10.0.0.1:1", Server: "10.0.0.2:2", Started: at, Ended: at, Sent: 1, Up: up, Down: down, Clear: true}
		if err := im.stream(s); err != nil {
			t.Fatal(err)
		}
		rec, err := im.end("")
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range rec.Events(context.Background()) {
			if err != nil || e.Kind == "" {
				t.Fatal(e, err)
			}
		}
		if rec.Entries > len(up)+len(down)+1 {
			t.Errorf("%d entries of %d bytes", rec.Entries, len(up)+len(down))
		}
	})
}
