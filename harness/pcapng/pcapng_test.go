package pcapng

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// tap records what passes on a connection.
type tap struct {
	net.Conn
	mu      *sync.Mutex
	packets *[]byte
}

func (c tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.note(p[:n], true)
	return n, err
}

func (c tap) Write(p []byte) (int, error) {
	c.note(p, false)
	return c.Conn.Write(p)
}

func (c tap) note(p []byte, sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(p) > 0 {
		*c.packets = flow.AppendPacket(*c.packets, flow.Packet{At: time.Now(), Sent: sent, Data: p})
	}
}

// recorded is what a proxy that records saw of one connection.
type recorded struct {
	wire    flow.Wire
	packets []byte
}

// exchange asks a recording proxy for a page and returns what it recorded. The proxy
// answers itself, as an intercepting one does.
func exchange(t *testing.T, host string, version uint16, h2 bool, planted string) recorded {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := net.SplitHostPort(host)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var rec recorded
	var mu sync.Mutex
	var keys bytes.Buffer
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		rec.wire = flow.Wire{ID: "w1", Started: time.Now(), Client: conn.RemoteAddr().String(), Proxy: conn.LocalAddr().String(), Server: "192.0.2.80:443"}
		tapped := tap{conn, &mu, &rec.packets}
		q, err := http.ReadRequest(bufio.NewReader(tapped))
		if err != nil || q.Method != http.MethodConnect {
			served <- fmt.Errorf("%v %v", q, err)
			return
		}
		io.WriteString(tapped, "HTTP/1.1 200 OK\r\n\r\n")
		config := &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: version, MaxVersion: version, KeyLogWriter: &keys, NextProtos: []string{"http/1.1"},
		}
		if h2 {
			config.NextProtos = []string{"h2"}
		}
		once := &single{conn: tapped, done: make(chan struct{})}
		server := &http.Server{TLSConfig: config, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			w.Header().Set("X-Answer", "answer-"+planted)
			fmt.Fprintf(w, "%s %d bytes", q.Proto, len(body))
		}), ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				once.Close()
			}
		}}
		served <- server.ServeTLS(once, "", "")
	}()
	transport := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()}),
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: h2,
	}
	q, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/path", strings.NewReader(strings.Repeat("a body ", 20_000)))
	q.Header.Set("X-Planted", planted)
	answer, err := transport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(answer.Body); !strings.Contains(string(body), "140000 bytes") || (answer.ProtoMajor == 2) != h2 {
		t.Fatalf("%s: %s", answer.Proto, body)
	}
	answer.Body.Close()
	transport.CloseIdleConnections()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	rec.wire.Ended = time.Now()
	rec.wire.Keys = strings.Split(strings.TrimSpace(keys.String()), "\n")
	return rec
}

// single is a listener with one connection.
type single struct {
	conn   net.Conn
	given  bool
	done   chan struct{}
	closed sync.Once
}

func (s *single) Accept() (net.Conn, error) {
	if !s.given {
		s.given = true
		return s.conn, nil
	}
	<-s.done
	return nil, net.ErrClosed
}
func (s *single) Close() error   { s.closed.Do(func() { close(s.done) }); return nil }
func (s *single) Addr() net.Addr { return s.conn.LocalAddr() }

// bundle makes evidence of what was recorded.
func bundle(t testing.TB, list ...recorded) *evidence.Bundle {
	t.Helper()
	log, err := evidence.Create(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log.Position("A", "untouched", evidence.Untouched)
	for i, r := range list {
		if r.packets != nil {
			if r.wire.Packets, _, err = log.PutBlob(bytes.NewReader(r.packets)); err != nil {
				t.Fatal(err)
			}
		}
		for kind, data := range map[string]any{
			evidence.KindWire:    r.wire,
			evidence.KindRequest: flow.Request{Flow: flow.ID(fmt.Sprintf("f%d", i+1)), Method: "GET", URL: "https://a.example/", Wire: r.wire.ID},
		} {
			if _, err := log.Append(kind, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}}); err != nil {
		t.Fatal(err)
	}
	ev, err := evidence.Open(log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// tshark runs it on a file.
func tshark(t *testing.T, path string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed (Debian: apt install tshark), so nothing is known of what Wireshark shows")
	}
	cmd := exec.CommandContext(t.Context(), "tshark", append([]string{"-r", path}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

func TestWiresharkShowsThePlaintext(t *testing.T) {
	for _, c := range []struct {
		name    string
		host    string
		version uint16
		h2      bool
	}{
		{"TLS 1.3, HTTP/1.1", "a.example:443", tls.VersionTLS13, false},
		{"TLS 1.3, HTTP/2", "a.example:443", tls.VersionTLS13, true},
		{"TLS 1.2, HTTP/1.1", "a.example:443", tls.VersionTLS12, false},
		{"TLS 1.2, HTTP/2", "a.example:443", tls.VersionTLS12, true},
		{"another port", "a.example:8443", tls.VersionTLS13, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			planted := "planted-value-38400000-8cf0"
			rec := exchange(t, c.host, c.version, c.h2, planted)
			if bytes.Contains(rec.packets, []byte(planted)) {
				t.Fatal("the value passed in the clear, so finding it proves nothing")
			}
			path := filepath.Join(t.TempDir(), "out.pcapng")
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			res, err := Write(t.Context(), file, bundle(t, rec), "unasked 1")
			if err != nil || res.Connections != 1 {
				t.Fatal(res, err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			filter, field, uri := "http.request.method==POST", "http.request.line", "http.request.full_uri"
			if c.h2 {
				filter, field, uri = "http2.headers.method==POST", "http2.header.value", "http2.headers.path"
			}
			if got := tshark(t, path, "-Y", filter, "-T", "fields", "-e", field, "-e", uri); !strings.Contains(got, planted) || !strings.Contains(got, "/path") {
				t.Errorf("the request is not shown: %q", got)
			}
			if got := tshark(t, path, "-V"); !strings.Contains(got, "answer-"+planted) {
				t.Error("the response is not shown")
			}
			// Nothing about the packets is odd to it.
			if got := tshark(t, path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y",
				"ip.checksum.status==0 || tcp.checksum.status==0 || tcp.analysis.flags && !tcp.analysis.window_update || _ws.malformed"); got != "" {
				t.Errorf("odd packets:\n%s", got)
			}
			if got := tshark(t, path, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment"); !strings.Contains(got, "connection w1; flows f1; arm A, phase untouched (untouched); joined with 192.0.2.80:443") {
				t.Errorf("comment %q", got)
			}
		})
	}
}

// read reads a file back.
func read(t testing.TB, data []byte) (*pcapgo.NgReader, map[bool][]byte, []layers.TCP) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	streams := map[bool][]byte{}
	var all []layers.TCP
	var device layers.TCPPort
	for {
		data, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return r, streams, all
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LinkTypeRaw, gopacket.Default)
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok || p.ErrorLayer() != nil {
			t.Fatalf("%v", p)
		}
		if err := tcp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
		if err, bad := p.VerifyChecksums(); err != nil || len(bad) > 0 {
			t.Fatalf("checksums: %v %v", err, bad)
		}
		if len(all) == 0 {
			device = tcp.SrcPort
		}
		side := tcp.SrcPort == device
		streams[side] = append(streams[side], tcp.Payload...)
		all = append(all, *tcp)
	}
}

func TestHeaders(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 14, 0, 123456789, time.UTC)
	big := bytes.Repeat([]byte("0123456789"), 20_000)
	var packets []byte
	for _, p := range []flow.Packet{{At: at, Sent: true, Data: []byte("hello")}, {At: at.Add(time.Second), Data: big}, {At: at, Sent: true, Data: []byte("bye")}} {
		packets = flow.AppendPacket(packets, p)
	}
	for _, ends := range [][2]string{{"10.0.2.15:40000", "10.0.2.2:8080"}, {"[2001:db8::1]:40000", "[2001:db8::2]:8080"}, {"10.0.2.15:40000", "[::1]:8080"}, {"nowhere", ""}} {
		rec := recorded{flow.Wire{ID: "w1", Started: at.Add(-time.Second), Ended: at.Add(2 * time.Second), Client: ends[0], Proxy: ends[1], Keys: []string{"CLIENT_RANDOM 00 11"}}, packets}
		var out bytes.Buffer
		res, err := Write(t.Context(), &out, bundle(t, rec, recorded{wire: flow.Wire{ID: "w2"}}), "unasked 1")
		if err != nil || res.Missing != 1 || res.Connections != 1 {
			t.Fatal(res, err)
		}
		r, streams, all := read(t, out.Bytes())
		if string(streams[true]) != "hellobye" || !bytes.Equal(streams[false], big) {
			t.Errorf("%v: %d and %d bytes", ends, len(streams[true]), len(streams[false]))
		}
		if res.Packets != len(all) || len(all) != 3+1+4+1+3 || !all[0].SYN || all[0].ACK || !all[1].SYN || !all[len(all)-2].FIN {
			t.Errorf("%v: %d packets", ends, len(all))
		}
		// Each side's numbers follow from what it sent.
		next := map[layers.TCPPort]uint32{}
		for _, p := range all {
			if want, ok := next[p.SrcPort]; ok && p.Seq != want {
				t.Errorf("%v: sequence %d, want %d", ends, p.Seq, want)
			}
			next[p.SrcPort] = p.Seq + uint32(len(p.Payload))
			if p.SYN || p.FIN {
				next[p.SrcPort]++
			}
			if p.ACK && p.Ack != next[p.DstPort] {
				t.Errorf("%v: acknowledges %d, want %d", ends, p.Ack, next[p.DstPort])
			}
		}
		if info := r.SectionInfo(); !strings.Contains(info.Comment, "rebuilt") || info.Application != "unasked 1" {
			t.Errorf("%+v", info)
		}
		if i, err := r.Interface(0); err != nil || !strings.Contains(i.Description, "rebuilt") {
			t.Errorf("%+v %v", i, err)
		}
		// The secrets stand before the first packet.
		if secrets, first := bytes.Index(out.Bytes(), []byte("CLIENT_RANDOM")), bytes.Index(out.Bytes(), []byte("hello")); secrets < 0 || secrets > first {
			t.Errorf("secrets at %d, packets at %d", secrets, first)
		}
	}
}

func TestWhatIsNoPacketIsAnError(t *testing.T) {
	if _, err := Write(t.Context(), io.Discard, bundle(t, recorded{flow.Wire{ID: "w1"}, bytes.Repeat([]byte{0xff}, 40)}), "unasked 1"); err == nil || !strings.Contains(err.Error(), "connection w1") {
		t.Errorf("%v", err)
	}
	whole := flow.AppendPacket(nil, flow.Packet{At: time.Now(), Data: []byte("some bytes")})
	res, err := Write(t.Context(), io.Discard, bundle(t, recorded{flow.Wire{ID: "w1"}, append(whole, whole[:15]...)}), "unasked 1")
	if err != nil || res.Packets != 7 {
		t.Errorf("one that is cut off: %+v %v", res, err)
	}
}

// Whatever packets hold, what is written can be read back with the same bytes.
func FuzzWrite(f *testing.F) {
	at := time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)
	f.Add(flow.AppendPacket(flow.AppendPacket(nil, flow.Packet{At: at, Sent: true, Data: []byte("a")}), flow.Packet{At: at, Data: []byte("bc")}), "10.0.0.1:1", "10.0.0.2:2")
	f.Add([]byte{}, "[::1]:1", "1.2.3.4:5")
	f.Add(bytes.Repeat([]byte{0}, 39), "", "x")
	f.Fuzz(func(t *testing.T, packets []byte, client, proxy string) {
		var sent, received []byte
		for p, err := range flow.Packets(bytes.NewReader(packets)) {
			if err != nil {
				break
			}
			if p.Sent {
				sent = append(sent, p.Data...)
			} else {
				received = append(received, p.Data...)
			}
		}
		ev := one{packets: packets, wire: flow.Wire{ID: "w", Started: at, Client: client, Proxy: proxy, Packets: evidence.DigestOf(packets)}}
		var out bytes.Buffer
		if _, err := Write(t.Context(), &out, ev, "unasked 1"); err != nil {
			return
		}
		_, streams, all := read(t, out.Bytes())
		if all[0].SrcPort != all[0].DstPort && (!bytes.Equal(streams[true], sent) || !bytes.Equal(streams[false], received)) {
			t.Errorf("%d and %d bytes, want %d and %d", len(streams[true]), len(streams[false]), len(sent), len(received))
		}
	})
}
