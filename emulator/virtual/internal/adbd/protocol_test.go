package adbd_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire speaks the protocol by hand, so that it can speak it wrongly.
type wire struct {
	t  *testing.T
	nc net.Conn
}

type message struct {
	command    string
	arg0, arg1 uint32
	data       string
}

func dialWire(t *testing.T, addr string) *wire {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &wire{t, nc}
}

// online dials and greets.
func online(t *testing.T, addr string) *wire {
	t.Helper()
	w := dialWire(t, addr)
	w.send(message{"CNXN", 0x01000001, 1 << 20, "host::features=shell_v2"})
	if m := w.read(); m.command != "CNXN" || m.arg0 != 0x01000001 || m.arg1 != 1<<20 || !strings.HasPrefix(m.data, "device::") {
		t.Fatalf("the greeting was answered with %+v", m)
	}
	return w
}

func header(command string, arg0, arg1 uint32, length int, magic uint32) []byte {
	b := []byte(command)
	id := binary.LittleEndian.Uint32(b)
	for _, v := range []uint32{arg0, arg1, uint32(length), 0, ^id ^ magic} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func (w *wire) send(m message) {
	w.t.Helper()
	if _, err := w.nc.Write(append(header(m.command, m.arg0, m.arg1, len(m.data), 0), m.data...)); err != nil {
		w.t.Fatal(err)
	}
}

// next reads a packet; ok is false where the connection has ended.
func (w *wire) next() (m message, ok bool) {
	var h [24]byte
	if _, err := io.ReadFull(w.nc, h[:]); err != nil {
		return m, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(h[4*i:]) }
	data := make([]byte, word(3))
	if _, err := io.ReadFull(w.nc, data); err != nil {
		return m, false
	}
	return message{string(h[:4]), word(1), word(2), string(data)}, true
}

func (w *wire) read() message {
	w.t.Helper()
	m, ok := w.next()
	if !ok {
		w.t.Fatal("the connection ended")
	}
	return m
}

func (w *wire) expectEnd(why string) {
	w.t.Helper()
	w.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		var b [1 << 10]byte
		switch _, err := w.nc.Read(b[:]); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.t.Errorf("%s: the daemon keeps the connection", why)
			return
		case err != nil:
			return
		}
	}
}

func TestHostilePackets(t *testing.T) {
	_, addr := newDevice(t)
	for _, test := range []struct {
		name   string
		online bool
		bytes  []byte
	}{
		{"no adb at all", false, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		{"wrong magic", false, header("CNXN", 0x01000001, 1<<20, 0, 1)},
		{"OPEN before CNXN", false, append(header("OPEN", 1, 0, 6, 0), "shell:"...)},
		{"a packet of 4 GiB", true, header("WRTE", 1, 1, 0xffffffff, 0)},
		{"a packet of a byte too much", true, header("WRTE", 1, 1, 1<<20+1, 0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := dialWire(t, addr)
			if test.online {
				w = online(t, addr)
			}
			w.nc.Write(test.bytes)
			w.expectEnd(test.name)
		})
	}
	t.Run("strangers", func(t *testing.T) {
		w := online(t, addr)
		for _, m := range []message{
			{"WRTE", 9, 99, "to no stream"}, {"OKAY", 9, 99, ""}, {"CLSE", 9, 99, ""}, {"CLSE", 0, 0, ""}, {"WHAT", 1, 2, "?"},
			{"AUTH", 1, 0, "token"}, {"STLS", 1, 0, ""}, {"OPEN", 0, 0, "shell:id\x00"},
		} {
			w.send(m)
		}
		for id, service := range []string{"", ":", "nonsense:", "tcp:", "tcp:99999999", "tcp:22:example.org", "tcp:22", "localabstract:", "localfilesystem:/etc/passwd",
			"dev:/dev/mem", "jdwp:1", "host:kill", "track-jdwp", "framebuffer:", "source:100"} {
			w.send(message{"OPEN", uint32(id + 1), 0, service + "\x00"})
		}
		refused := map[uint32]bool{}
		for len(refused) < 16 { // the one that has number 0 too
			m := w.read()
			if m.command != "CLSE" || m.arg0 != 0 {
				t.Errorf("a stranger was answered with %+v", m)
			}
			refused[m.arg1] = true
		}
		w.send(message{"OPEN", 50, 0, "exec:id -u\x00"})
		if m := w.read(); m.command != "OKAY" || m.arg1 != 50 {
			t.Errorf("after all that, exec is answered with %+v", m)
		}
	})
}

// TestFlowControl checks that each side waits for the other's OKAY.
func TestFlowControl(t *testing.T) {
	_, addr := newDevice(t)
	w := online(t, addr)
	w.send(message{"OPEN", 7, 0, "exec:cat\x00"})
	ok := w.read()
	local := ok.arg0
	if want := (message{"OKAY", local, 7, ""}); ok != want {
		t.Fatalf("OPEN was answered with %+v", ok)
	}
	var log []string
	note := func(m message) { log = append(log, fmt.Sprintf("%s %d>%d %s", m.command, m.arg0, m.arg1, m.data)) }
	w.send(message{"WRTE", 7, local, "one\n"})
	a, b := w.read(), w.read()
	if a.command == "WRTE" { // the echo may overtake the acknowledgement
		a, b = b, a
	}
	note(a)
	note(b)
	w.send(message{"WRTE", 7, local, "two\n"})
	note(w.read())
	// The echo of "two" must not come before the echo of "one" is acknowledged.
	w.nc.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if m, ok := w.next(); ok {
		t.Errorf("the daemon sent %+v before it was acknowledged", m)
	}
	w.nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	w.send(message{"OKAY", 7, local, ""})
	note(w.read())
	want := []string{
		fmt.Sprintf("OKAY %d>7 ", local), fmt.Sprintf("WRTE %d>7 one\n", local),
		fmt.Sprintf("OKAY %d>7 ", local), fmt.Sprintf("WRTE %d>7 two\n", local),
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	// What comes a little ahead is taken, as Debian's adb server sends it now and then.
	w = online(t, addr)
	w.send(message{"OPEN", 7, 0, "exec:read a; read b; echo $a $b\x00"})
	local = w.read().arg0
	w.send(message{"WRTE", 7, local, "before "})
	w.send(message{"WRTE", 7, local, "it is due\nall of it\n"})
	for {
		m := w.read()
		if m.command == "CLSE" {
			t.Error("what came ahead is lost")
			break
		}
		if m.command == "WRTE" {
			if m.data != "before it is due all of it\n" {
				t.Errorf("%q", m.data)
			}
			break
		}
	}
	// A peer that does not wait is cut off.
	w = online(t, addr)
	w.send(message{"OPEN", 7, 0, "exec:sleep 100\x00"})
	local = w.read().arg0
	impatient := strings.Repeat("x", 200<<10) // more than the pipe to the command holds
	for range 3 {
		w.send(message{"WRTE", 7, local, impatient})
	}
	w.expectEnd("an impatient peer")
}

// TestHangUp checks that a client that goes away takes its command with it,
// and a push that breaks off leaves no half file.
func TestHangUp(t *testing.T) {
	d, addr := newDevice(t)
	w := online(t, addr)
	w.send(message{"OPEN", 1, 0, "shell,v2,raw:sleep 1000\x00"})
	shellStream := w.read().arg0
	w.send(message{"OPEN", 2, 0, "exec:yes\x00"})
	w.read()
	w.send(message{"OPEN", 3, 0, "sync:\x00"})
	var sync uint32
	for sync == 0 {
		if m := w.read(); m.command == "OKAY" && m.arg1 == 3 {
			sync = m.arg0
		}
	}
	spec := "/data/local/tmp/half,33188"
	w.send(message{"WRTE", 3, sync, "SEND" + le(len(spec)) + spec + "DATA" + le(4) + "half"})
	waitFor(t, "the push to begin", func() bool { _, err := d.tree.As(0).Stat("/data/local/tmp/half"); return err == nil })
	w.send(message{"CLSE", 1, shellStream, ""})
	waitFor(t, "one shell to end", func() bool { return len(d.sh.Processes().List()) == 1 })
	w.nc.Close()
	waitFor(t, "all shells to end", func() bool { return len(d.sh.Processes().List()) == 0 })
	waitFor(t, "the half file to go", func() bool { _, err := d.tree.As(0).Stat("/data/local/tmp/half"); return err != nil })
}

// TestSecondGreeting checks that a peer that starts anew gets a clean connection.
func TestSecondGreeting(t *testing.T) {
	d, addr := newDevice(t)
	w := online(t, addr)
	w.send(message{"OPEN", 1, 0, "reverse:forward:tcp:7;tcp:8\x00"})
	waitFor(t, "the reverse", func() bool { _, ok := d.ports.Lookup(7); return ok })
	w.send(message{"CNXN", 0x01000000, 4096, "host::"})
	for {
		if m := w.read(); m.command == "CNXN" {
			break
		}
	}
	waitFor(t, "the reverse to go", func() bool { _, ok := d.ports.Lookup(7); return !ok })
	// This peer takes 4096 bytes at most.
	w.send(message{"OPEN", 9, 0, "exec:head -c 9000 /dev/zero\x00"})
	total := 0
	for {
		m := w.read()
		if len(m.data) > 4096 {
			t.Fatalf("a packet of %d bytes for a peer that takes 4096", len(m.data))
		}
		if m.command == "CLSE" && m.arg1 == 9 {
			break
		}
		if total += len(m.data); m.command == "WRTE" && m.arg1 == 9 {
			w.send(message{"OKAY", 9, m.arg0, ""})
		}
	}
	if total != 9000 {
		t.Errorf("%d bytes came, want 9000", total)
	}
}

func TestSyncWords(t *testing.T) {
	d, addr := newDevice(t)
	if err := d.tree.As(2000).WriteFile("/data/local/tmp/f", []byte("12345"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, request, want string }{
		{"lstat_v2 of nothing", "LST2" + le(5) + "/none", "LST2" + le(2)},
		{"stat_v2 that is denied", "STA2" + le(24) + "/data/system/users/0/ssa", "STA2" + le(13)},
		{"stat of nothing", "STAT" + le(5) + "/none", "STAT" + strings.Repeat("\x00", 12)},
		{"recv of nothing", "RECV" + le(5) + "/none", "FAIL" + le(38) + "open failed: No such file or directory"},
		{"recv of a folder", "RECV" + le(5) + "/data", "FAIL"},
		{"recv", "RECV" + le(17) + "/data/local/tmp/f", "DATA" + le(5) + "12345DONE" + le(0)},
		{"no mode", "SEND" + le(5) + "/none", "FAIL"},
		{"oversize data", "SEND" + le(25) + "/data/local/tmp/big,33188" + "DATA" + le(65537), "FAIL" + le(21) + "oversize data message"},
		{"a path of a megabyte", "STAT" + le(1<<20), "FAIL" + le(13) + "path too long"},
		{"not sync at all", "WHAT" + le(0), "FAIL"},
		{"list_v2 of nothing", "LIS2" + le(5) + "/none", "DONE" + strings.Repeat("\x00", 72)},
		{"list of nothing", "LIST" + le(5) + "/none", "DONE" + strings.Repeat("\x00", 16)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := online(t, addr)
			w.send(message{"OPEN", 1, 0, "sync:\x00"})
			local := w.read().arg0
			w.send(message{"WRTE", 1, local, test.request})
			for {
				m := w.read()
				if m.command == "WRTE" {
					if !strings.HasPrefix(m.data, test.want) {
						t.Errorf("got %q, want it to begin with %q", m.data, test.want)
					}
					return
				}
				if m.command == "CLSE" {
					t.Fatal("closed without an answer")
				}
			}
		})
	}
}

func le(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
