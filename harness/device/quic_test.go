package device

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestQUICIsRefusedOnTheDevice(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	if undo, err := d.RefuseQUIC(ctx, 10100); err == nil || undo != nil {
		t.Errorf("without root: %v", err)
	}
	if err := d.Root(ctx); err != nil {
		t.Fatal(err)
	}
	undo, err := d.RefuseQUIC(ctx, 10100)
	if err != nil {
		t.Fatal(err)
	}
	if packets, bytes, err := d.QUICRefused(ctx, 10100); err != nil || packets != 0 || bytes != 0 {
		t.Errorf("%d packets, %d bytes, %v", packets, bytes, err)
	}
	for _, filter := range packetFilters {
		if out, err := d.filter(ctx, filter, "-nvxL OUTPUT"); err != nil || !strings.Contains(out, "owner UID match 10100") {
			t.Errorf("%s: %s, %v", filter, out, err)
		}
	}
	if err := undo(ctx); err != nil {
		t.Error(err)
	}
	for _, filter := range packetFilters {
		if out, err := d.filter(ctx, filter, "-nvxL OUTPUT"); err != nil || strings.Contains(out, "REJECT") {
			t.Errorf("%s, afterwards: %s, %v", filter, out, err)
		}
	}
	if err := undo(ctx); err == nil {
		t.Error("what is not there was taken back")
	}
}

func TestParseRefused(t *testing.T) {
	const out = `Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
    pkts      bytes target     prot opt in     out     source               destination
       3     3756 REJECT     17   --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:443 owner UID match 10123 reject-with icmp-port-unreachable
       9        9 REJECT     udp  --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:443 owner UID match 101234 reject-with icmp-port-unreachable
       1     1252 REJECT     udp  --  *      *       ::/0                 ::/0                 udp dpt:443 owner UID match 10123 reject-with icmp6-port-unreachable
       9        9 DROP       udp  --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:443 owner UID match 10123
       9        9 REJECT     udp  --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:53 owner UID match 10123 reject-with icmp-port-unreachable
`
	if packets, bytes := parseRefused(out, 10123); packets != 4 || bytes != 5008 {
		t.Errorf("%d packets, %d bytes", packets, bytes)
	}
}

// quicUID is the app's, in a network namespace of the test's own.
const quicUID = 10123

// The rules are Linux's own, and so they are tried on Linux's packet filter, with a
// real QUIC client.
func TestQUICFallsBackAtOnce(t *testing.T) {
	if os.Getenv("UNASKED_QUIC_PEER") != "" {
		quicPeer(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	for _, program := range append(packetFilters, "ip") {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%v (Debian: iptables, iproute2)", err)
		}
	}
	space := fmt.Sprintf("unasked-quic-%d", os.Getpid())
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s, %v", args, out, err)
		}
		return string(out)
	}
	if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", space).CombinedOutput(); err != nil {
		t.Skipf("no network namespace can be made here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	inside := func(args ...string) string {
		return run(append([]string{"ip", "netns", "exec", space}, args...)...)
	}
	inside("ip", "link", "set", "lo", "up")
	inside("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	peer := exec.CommandContext(ctx, "ip", "netns", "exec", space, "setpriv", "--reuid", fmt.Sprint(quicUID), "--clear-groups", "/proc/self/fd/3", "-test.run=^"+t.Name()+"$")
	self, err := os.Open("/proc/self/exe") // a folder that only root may enter must not keep the peer from it
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	peer.ExtraFiles = []*os.File{self}
	peer.Env = append(os.Environ(), "UNASKED_QUIC_PEER=1")
	peer.Stderr = os.Stderr
	in, err1 := peer.StdinPipe()
	out, err2 := peer.StdoutPipe()
	if err1 != nil || err2 != nil || peer.Start() != nil {
		t.Fatal(err1, err2)
	}
	defer func() { _ = peer.Process.Signal(syscall.SIGKILL); _ = peer.Wait() }()
	answers := bufio.NewScanner(out)
	dial := func() string {
		t.Helper()
		if _, err := io.WriteString(in, "dial\n"); err != nil || !answers.Scan() {
			t.Fatal("the peer is gone", err, answers.Err())
		}
		return answers.Text()
	}
	if got := dial(); got != "connected" {
		t.Fatalf("without the rules: %s", got)
	}
	for _, filter := range packetFilters {
		inside("sh", "-c", filter+" -w -I "+quicRule(quicUID))
	}
	if got := dial(); !strings.Contains(got, "connection refused") && !strings.Contains(got, "operation not permitted") {
		t.Errorf("with the rules: %s", got)
	}
	if packets, bytes := parseRefused(inside("sh", "-c", "iptables -w -nvxL OUTPUT"), quicUID); packets == 0 || bytes < 1200 {
		t.Errorf("%d packets of %d bytes were counted", packets, bytes)
	}
	for _, filter := range packetFilters {
		inside("sh", "-c", filter+" -w -D "+quicRule(quicUID))
	}
	if got := dial(); got != "connected" {
		t.Errorf("after the rules were taken back: %s", got)
	}
}

// quicPeer is a QUIC client and its server, in a process and a namespace of their own.
func quicPeer(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h3"}, InsecureSkipVerify: true} // the test's own server
	l, err := quic.ListenAddr("127.0.0.1:443", config, nil)
	if err != nil {
		fmt.Println(err)
		t.Fatal(err)
	}
	defer l.Close()
	for ask := bufio.NewScanner(os.Stdin); ask.Scan(); {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, err := quic.DialAddr(ctx, "127.0.0.1:443", config, &quic.Config{HandshakeIdleTimeout: 20 * time.Second})
		cancel()
		if err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		_ = c.CloseWithError(0, "")
		fmt.Println("connected")
	}
}
