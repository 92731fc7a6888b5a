package webview

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// busybody does whatever makes browsers talk to their makers: a password form,
// a download, a service worker, a page in a foreign language, a bad
// certificate, a name that does not exist, a prefetch, a search.
const busybody = `<html lang="fi"><link rel="dns-prefetch" href="//prefetch.example"><link rel="preconnect" href="https://preconnect.example">
	<form action="#"><input name="email" autocomplete="email" value="a@b.example"><input type="password" name="p" value="pw" autocomplete="current-password"><button>Kirjaudu</button></form>
	<p spellcheck="true" contenteditable>Tämä on suomenkielinen sivu, jonka selain ehkä tahtoo kääntää tai tarkistaa.</p>
	<a id="dl" download="setup.exe" href="data:application/octet-stream,MZ">x</a><video src="none.mp4"></video>
	<script>
		navigator.serviceWorker.register('service.js').catch(() => 0);
		navigator.credentials?.get({ password: true }).catch(() => 0);
		navigator.geolocation.getCurrentPosition(() => 0, () => 0);
		Notification.requestPermission?.().catch(() => 0);
		speechSynthesis?.speak(new SpeechSynthesisUtterance('hei'));
		document.getElementById('dl').click();
		navigator.sendBeacon('https://known.example/beacon', 'x');
	</script>`

// TestQuiet proves that all traffic of an app's browser is the app's: while a
// page does whatever makes a browser talk, a proxy sees what the page asked
// for, and the system's table of sockets shows no other connection.
func TestQuiet(t *testing.T) {
	w := newWorld(t)
	w.origin("known.example", "ok")
	w.file("www/service.js", "")
	// The names that the page only hints at are the page's own traffic, where there is any.
	allowed := []string{"known.example:443", "prefetch.example:443", "preconnect.example:443"}
	w.page(busybody + `<script>
		fetch('https://known.example/start').then(() => setTimeout(() => fetch('https://known.example/end'), 4000));
	</script>`)
	p := w.proxy()
	r := w.start()
	w.waitRequest("known.example", "/start")
	seen := map[string]bool{}
	looked := 0
	for ended := false; !ended; looked++ {
		for _, remote := range remotes(t, groupMembers(t, r.browser.cmd.Process.Pid)) {
			seen[remote] = true
		}
		for _, q := range w.seen.Requests() {
			ended = ended || to("known.example", "/end")(q)
		}
		time.Sleep(20 * time.Millisecond) // between two looks at the system's tables
	}
	for _, target := range p.seen() {
		if !slices.Contains(allowed, target) {
			t.Errorf("the browser asked for %s, which no page did", target)
		}
	}
	if !seen[r.relay.Addr()] {
		t.Fatalf("in %d looks the browser's connection to its proxy was never seen, so others would not be either", looked)
	}
	delete(seen, r.relay.Addr())
	for remote := range seen {
		t.Errorf("the browser has a connection to %s, past its proxy", remote)
	}
}

// TestQuietWithoutProxy is the same where the app reaches the internet directly.
func TestQuietWithoutProxy(t *testing.T) {
	w := newWorld(t)
	w.origin("known.example", "ok")
	w.origin("decoy.example", "never asked for")
	w.file("www/service.js", "")
	w.page(busybody + `<script>
		fetch('https://known.example/start').then(() => setTimeout(() => fetch('https://known.example/end'), 2000));
	</script>`)
	r := w.start()
	w.waitRequest("known.example", "/start")
	gateway := r.gateway.Addrs()
	for ended := false; !ended; {
		for _, remote := range remotes(t, groupMembers(t, r.browser.cmd.Process.Pid)) {
			if !slices.Contains(gateway, remote) {
				t.Errorf("the browser has a connection to %s, which is no origin", remote)
			}
		}
		for _, q := range w.seen.Requests() {
			ended = ended || to("known.example", "/end")(q)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, d := range w.seen.Dials() {
		if d.Address != "known.example:443" {
			t.Errorf("the browser asked for %s, which no page did", d.Address)
		}
	}
}

// TestQuietWouldNotice plants connections and looks whether the tests above
// would have seen them.
func TestQuietWouldNotice(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := net.Dial("udp", "127.0.0.1:5353")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	got := remotes(t, []int{os.Getpid()})
	for _, want := range []string{l.Addr().String(), "127.0.0.1:5353"} {
		if !slices.Contains(got, want) {
			t.Errorf("the connection to %s is not among %v", want, got)
		}
	}
	w := newWorld(t)
	w.origin("decoy.example", "planted")
	w.page(`<script>fetch('https://decoy.example/')</script>`)
	p := w.proxy()
	w.start()
	w.waitRequest("decoy.example", "/")
	if !slices.Contains(p.seen(), "decoy.example:443") {
		t.Errorf("the proxy saw %v, and not the planted request", p.seen())
	}
	if !slices.ContainsFunc(w.seen.Dials(), func(d internet.Dialled) bool { return d.Address == "decoy.example:443" }) {
		t.Error("the internet did not note the planted request")
	}
}

// remotes lists where the sockets of some processes lead, from Linux's tables
// (proc_net_tcp.txt in the kernel's documentation).
func remotes(t *testing.T, pids []int) []string {
	t.Helper()
	mine := map[string]bool{}
	for _, pid := range pids {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if link, err := os.Readlink(fd); err == nil && strings.HasPrefix(link, "socket:[") {
				mine[strings.Trim(link[len("socket:"):], "[]")] = true
			}
		}
	}
	var out []string
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		lines := strings.Split(string(text), "\n")
		for _, line := range lines[1:] {
			f := strings.Fields(line)
			const listening = "0A"
			if len(f) < 10 || !mine[f[9]] || f[3] == listening && strings.HasPrefix(table, "tcp") {
				continue
			}
			// A socket that someone else opened to the browser's own port is not the browser's doing.
			if remote := address(f[2]); remote.Port() != 0 && !accepted(lines, f[1]) {
				out = append(out, remote.String())
			}
		}
	}
	return out
}

// accepted reports whether a local address is one that is listened on.
func accepted(lines []string, local string) bool {
	for _, line := range lines[1:] {
		if f := strings.Fields(line); len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], local[strings.LastIndexByte(local, ':'):]) {
			return true
		}
	}
	return false
}

// address reads the kernel's way of writing one: 32-bit words in the host's order.
func address(text string) netip.AddrPort {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	p, perr := hex.DecodeString(port)
	if err != nil || perr != nil || len(p) != 2 {
		return netip.AddrPort{}
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(p))
}
