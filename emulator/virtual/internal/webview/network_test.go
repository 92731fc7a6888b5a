package webview

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// proxy is an HTTP proxy that passes everything through and remembers where to.
type proxy struct {
	listener net.Listener
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	running  sync.WaitGroup

	mu             sync.Mutex
	targets        []string
	sent, received int64 // as the proxy saw them on its clients' sockets
	conns          map[net.Conn]bool
}

func (w *world) proxy() *proxy {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	p := &proxy{listener: l, dial: w.internet.Dial, conns: map[net.Conn]bool{}}
	p.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns[c] = true
			p.mu.Unlock()
			p.running.Go(func() { p.serve(c) })
		}
	})
	w.t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.running.Wait()
	})
	w.device.Proxy = l.Addr().String()
	return p
}

// metered counts what a proxy's client sends and gets.
type metered struct {
	net.Conn
	p *proxy
}

func (m metered) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	m.p.mu.Lock()
	m.p.sent += int64(n)
	m.p.mu.Unlock()
	return n, err
}

func (m metered) Write(b []byte) (int, error) {
	n, err := m.Conn.Write(b)
	m.p.mu.Lock()
	m.p.received += int64(n)
	m.p.mu.Unlock()
	return n, err
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	client := metered{c, p}
	in := bufio.NewReader(client)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		target := r.Host
		if r.Method != http.MethodConnect {
			target = r.Method + " " + r.URL.String()
		}
		p.mu.Lock()
		p.targets = append(p.targets, target)
		p.mu.Unlock()
		address := r.Host
		if _, _, err := net.SplitHostPort(address); err != nil {
			address += ":80"
		}
		up, err := p.dial(r.Context(), "tcp", address)
		if err != nil {
			fmt.Fprintf(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		if r.Method == http.MethodConnect {
			io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
			var back sync.WaitGroup
			back.Go(func() { io.Copy(client, up); c.Close() })
			io.Copy(up, in)
			up.Close()
			back.Wait()
			return
		}
		r.RequestURI = ""
		r.Write(up)
		if res, err := http.ReadResponse(bufio.NewReader(up), r); err == nil {
			res.Write(client)
		}
		up.Close()
	}
}

func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.targets...)
}

// to matches a request by host and path.
func to(host, path string) func(internet.Request) bool {
	return func(r internet.Request) bool { return r.Host == host && strings.HasPrefix(r.URI, path) && r.Done }
}

func (w *world) waitRequest(host, path string) internet.Request {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	r, err := w.seen.Wait(ctx, to(host, path))
	if err != nil {
		w.t.Fatalf("no request to %s%s; there were %v; the console has %+v", host, path, w.seen.Requests(), w.log)
	}
	return r
}

func TestProxyIsUsed(t *testing.T) {
	w := newWorld(t)
	w.origin("api.example", "hello", internet.Plain())
	w.page(`<script>
		fetch('https://api.example/secure?x=1', { method: 'POST', body: 'x'.repeat(1000) }).then((r) => r.text()).then((t) => console.log('secure', t));
		fetch('http://localhost:8099/loop').catch(() => 0).then(() => console.log('tried loopback'));
		fetch('https://nowhere.example/').catch((e) => console.log('nowhere', e.message));
	</script>`)
	p := w.proxy()
	r := w.start()
	w.waitLog("secure hello")
	w.waitLog("nowhere Failed")
	w.waitLog("tried loopback")
	got := w.waitRequest("api.example", "/secure?x=1")
	if got.Proto != "HTTP/2.0" || got.Size != 1000 {
		t.Errorf("the origin saw %s with %d bytes, want HTTP/2.0 with 1000", got.Proto, got.Size)
	}
	for _, want := range []string{"api.example:443", "nowhere.example:443", "GET http://localhost:8099/loop"} {
		if !contains(p.seen(), want) {
			t.Errorf("the proxy saw %v, want %s among them", p.seen(), want)
		}
	}
	r.must(r.Stop(w.context()))
	sent, received := r.Traffic()
	p.mu.Lock()
	defer p.mu.Unlock()
	if int64(sent) != p.sent || int64(received) != p.received || sent < 1000 {
		t.Errorf("the app's counters are %d, %d, and its proxy counted %d, %d", sent, received, p.sent, p.received)
	}
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

func TestWithoutProxyOnlyTheInternetIsThere(t *testing.T) {
	w := newWorld(t)
	w.origin("api.example", "hello", internet.Plain())
	w.origin("*.cdn.example", "from the cdn")
	host, err := net.Listen("tcp", "127.0.0.1:0") // something on the host that is no business of an app's
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	w.page(`<script>
		const get = (name, url) => fetch(url).then((r) => r.text(), () => 'unreachable').then((t) => console.log(name, t));
		get('api', 'https://api.example/'); get('cdn', 'https://eu.cdn.example/'); get('port', 'https://api.example:8443/');
		get('nowhere', 'https://nowhere.example/'); get('address', 'http://` + host.Addr().String() + `/'); get('loopback', 'http://localhost:` + port(host) + `/');
	</script>`)
	r := w.start()
	for _, line := range []string{"api hello", "cdn from the cdn", "port unreachable", "nowhere unreachable", "address unreachable", "loopback unreachable"} {
		w.waitLog(line)
	}
	if got := w.waitRequest("eu.cdn.example", "/"); got.Proto != "HTTP/2.0" {
		t.Errorf("the wildcard's origin saw %s, want HTTP/2.0", got.Proto)
	}
	if sent, received := r.Traffic(); sent == 0 || received == 0 {
		t.Errorf("the app's counters are %d, %d after traffic", sent, received)
	}
	host.(*net.TCPListener).SetDeadline(time.Now())
	if c, err := host.Accept(); err == nil {
		t.Errorf("the app reached a port of the host, from %v", c.RemoteAddr())
	}
}

func port(l net.Listener) string { return fmt.Sprint(l.Addr().(*net.TCPAddr).Port) }

func TestTrustIsARealDecision(t *testing.T) {
	w := newWorld(t)
	other, err := internet.New()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	issue := func(in *internet.Internet, name string, from, to time.Time) internet.OriginOption {
		cert, err := in.Issue(name, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return internet.TLS(&tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"h2", "http/1.1"}})
	}
	now := time.Now()
	w.origin("good.example", "fine")
	w.origin("stranger.example", "secret", issue(other, "stranger.example", now.Add(-time.Hour), now.Add(time.Hour)))
	w.origin("expired.example", "secret", issue(w.internet, "expired.example", now.Add(-48*time.Hour), now.Add(-24*time.Hour)))
	w.origin("misnamed.example", "secret", issue(w.internet, "another.example", now.Add(-time.Hour), now.Add(time.Hour)))
	w.page(`<script>
		for (const name of ['good', 'stranger', 'expired', 'misnamed'])
			fetch('https://' + name + '.example/').then((r) => r.text(), () => 'refused').then((t) => console.log(name, t));
	</script>`)
	first := w.start()
	for _, line := range []string{"good fine", "stranger refused", "expired refused", "misnamed refused"} {
		w.waitLog(line)
	}
	first.must(first.Stop(w.context()))
	for _, r := range w.seen.Requests() {
		if r.Host != "good.example" {
			t.Errorf("%s was sent a request under a certificate that is not to be trusted", r.Host)
		}
	}
	// With the stranger's authority in the device's store, and the public one gone, it is the other way round.
	w.device.Authorities = [][]byte{other.CAPEM()}
	w.mu.Lock()
	w.log = nil
	w.mu.Unlock()
	w.start()
	for _, line := range []string{"good refused", "stranger secret", "expired refused", "misnamed refused"} {
		w.waitLog(line)
	}
}

func TestCookiesAndStorageOutliveTheApp(t *testing.T) {
	w := newWorld(t)
	if err := w.internet.Handle("api.example", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		rw.Header().Set("Access-Control-Allow-Credentials", "true")
		rw.Header().Set("Set-Cookie", "sid=s3ss10n; Max-Age=86400; Secure; HttpOnly; SameSite=None")
	})); err != nil {
		t.Fatal(err)
	}
	w.page(`<script>
		const run = Number(localStorage.getItem('run') ?? 0) + 1;
		localStorage.setItem('run', run);
		fetch('https://api.example/run' + run, { credentials: 'include' }).then(() => console.log('run', run));
	</script>`)
	r := w.start()
	w.waitLog("run 1")
	r.must(r.Stop(w.context()))
	w.start()
	w.waitLog("run 2")
	if got := w.waitRequest("api.example", "/run1").Header.Get("Cookie"); got != "" {
		t.Errorf("the first run sent the cookie %q, want none", got)
	}
	if got := w.waitRequest("api.example", "/run2").Header.Get("Cookie"); got != "sid=s3ss10n" {
		t.Errorf("the second run sent the cookie %q, want sid=s3ss10n", got)
	}
}

func TestIdentityIsThePhonesEverywhere(t *testing.T) {
	w := newWorld(t)
	w.device.Locale, w.device.TimeZone = "de-DE", "Asia/Tokyo"
	const tell = `[navigator.userAgent, navigator.language, Intl.DateTimeFormat().resolvedOptions().locale, Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.userAgentData?.mobile, navigator.userAgentData?.platform].join('|')`
	w.origin("frame.example", `<script>console.log('frame ' + `+tell+`)</script>`)
	w.file("www/worker.js", `console.log('worker ' + `+tell+`); fetch('https://api.example/worker')`)
	w.file("www/service.js", `console.log('service ' + `+tell+`); fetch('https://api.example/service')`)
	w.origin("api.example", "")
	w.page(`<iframe src="https://frame.example/"></iframe><script>
		console.log('page ' + ` + tell + `);
		console.log('screen', innerWidth, devicePixelRatio, screen.width, screen.height, 'ontouchstart' in window, navigator.maxTouchPoints, navigator.webdriver, matchMedia('(pointer: coarse)').matches);
		fetch('https://api.example/page');
		new Worker('worker.js'); navigator.serviceWorker.register('service.js');
	</script>`)
	w.start()
	want := strings.Join([]string{agent, "de-DE", "de-DE", "Asia/Tokyo", "true", "Android"}, "|")
	for _, who := range []string{"page ", "frame ", "worker ", "service "} {
		if got := w.waitLog(who); got != want {
			t.Errorf("%s says\n%s, want\n%s", who, got, want)
		}
	}
	if got := w.waitLog("screen "); got != "412 2.625 412 915 true 5 false true" {
		t.Errorf("the page sees the screen %s", got)
	}
	for _, path := range []string{"/page", "/worker", "/service"} {
		h := w.waitRequest("api.example", path).Header
		if h.Get("User-Agent") != agent || !strings.HasPrefix(h.Get("Accept-Language"), "de-DE") {
			t.Errorf("%s was asked for as %q in %q", path, h.Get("User-Agent"), h.Get("Accept-Language"))
		}
		// Chromium leaves the hints out of a worker's requests when they are set as here.
		ua, mobile := h.Get("Sec-Ch-Ua"), h.Get("Sec-Ch-Ua-Mobile")
		if strings.Contains(ua, "Headless") || mobile == "?0" || path == "/page" && (ua == "" || mobile != "?1") {
			t.Errorf("%s was asked for with the hints %q, mobile %q", path, ua, mobile)
		}
	}
}

func TestNoUDPLeavesAPage(t *testing.T) {
	w := newWorld(t)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	w.page(`<script>(async () => {
		const pc = new RTCPeerConnection({ iceServers: [{ urls: 'stun:` + udp.LocalAddr().String() + `' }] });
		pc.createDataChannel('x');
		const gathered = new Promise((done) => pc.onicecandidate = (e) => e.candidate ? console.log('candidate', e.candidate.candidate) : done());
		await pc.setLocalDescription(await pc.createOffer());
		await gathered;
		try { await new WebTransport('https://` + udp.LocalAddr().String() + `/x').ready } catch {}
		console.log('tried');
	})()</script>`)
	w.start()
	w.waitLog("tried")
	udp.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, from, err := udp.ReadFrom(make([]byte, 1500)); err == nil {
		t.Errorf("the page sent %d bytes by UDP from %v", n, from)
	}
	for _, m := range w.log {
		if strings.HasPrefix(m.Text, "candidate") {
			t.Errorf("the page learnt of an address: %s", m.Text)
		}
	}
}

func TestWebSocketsAreTheBrowsersOwn(t *testing.T) {
	for _, proxied := range []bool{false, true} {
		t.Run(fmt.Sprintf("proxied=%t", proxied), func(t *testing.T) {
			w := newWorld(t)
			if err := w.internet.Handle("ws.example", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(rw, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
				if err != nil {
					return
				}
				defer c.CloseNow()
				kind, text, err := c.Read(r.Context())
				if err == nil {
					c.Write(r.Context(), kind, append([]byte("echo "), text...))
				}
				c.Read(r.Context())
			})); err != nil {
				t.Fatal(err)
			}
			w.page(`<script>
				const ws = new WebSocket('wss://ws.example/');
				ws.onopen = () => ws.send('hi'); ws.onmessage = (m) => console.log('got', m.data); ws.onerror = () => console.log('got an error');
			</script>`)
			if proxied {
				w.proxy()
			}
			w.start()
			if got := w.waitLog("got "); got != "echo hi" {
				t.Errorf("the page got %s, want echo hi", got)
			}
		})
	}
}
