package internet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestGateway(t *testing.T) {
	in, rec := newInternet(t)
	handle(t, in, "api.example", Plain())
	handle(t, in, "*.example")
	if err := in.HandleTCP("push.example:5224", func(c net.Conn) { io.Copy(c, c) }); err != nil {
		t.Fatal(err)
	}
	g, err := in.Gateway()
	if err != nil {
		t.Fatal(err)
	}
	addrs := g.Addrs()
	// In the order in which Chromium tries them: names before wildcards, and no
	// port of a name's falls through to a wildcard.
	want := fmt.Sprintf("MAP api.example:80 %s,MAP api.example:443 %s,MAP api.example ~NOTFOUND,MAP push.example:5224 %s,MAP push.example ~NOTFOUND,MAP *.example:443 %s,MAP *.example ~NOTFOUND,MAP * ~NOTFOUND",
		addrs[0], addrs[1], addrs[2], addrs[3])
	if got := g.Rules(); got != want {
		t.Errorf("the rules are\n%s, want\n%s", got, want)
	}
	c, err := net.Dial("tcp", addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := "GET /x HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n"
	io.WriteString(c, request)
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasSuffix(string(answer), "api.example HTTP/1.1 /x") {
		t.Errorf("through the gateway: %q, %v", answer, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if sent, received := g.Traffic(); sent != uint64(len(request)) || received != uint64(len(answer)) {
		t.Errorf("the gateway counted %d, %d; the client %d, %d", sent, received, len(request), len(answer))
	}
	if _, err := net.Dial("tcp", addrs[0]); err == nil {
		t.Error("the gateway is open after it was closed")
	}
	if d := rec.Dials(); len(d) != 1 || d[0].Address != "api.example:80" {
		t.Errorf("the dials are %v", d)
	}
}

func TestRelayRefusesAsItsPeerDoes(t *testing.T) {
	r, err := NewRelay(func(context.Context) (net.Conn, error) { return nil, errors.New("refused") })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		return // refused at once is as well
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("something answered")
	}
}

func TestRelayPassesHalfClosedConnectionsOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		text, _ := io.ReadAll(c) // to the client's end
		fmt.Fprintf(c, "%d bytes", len(text))
	}()
	r, err := NewRelay(func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	big := strings.Repeat("x", 1<<20)
	io.WriteString(c, big)
	c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "1048576 bytes" || err != nil {
		t.Errorf("through the relay: %q, %v", got, err)
	}
}

func TestCloseEndsARelaysConnections(t *testing.T) {
	in, _ := newInternet(t)
	if err := in.HandleTCP("raw.example:1", func(c net.Conn) { io.Copy(c, c) }); err != nil {
		t.Fatal(err)
	}
	r, err := NewRelay(func(ctx context.Context) (net.Conn, error) { return in.Dial(ctx, "tcp", "raw.example:1") })
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintln(c, "hello")
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "hello\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived its relay")
	}
}

func Example() {
	in, err := New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer in.Close()
	in.Handle("api.example.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s over %s", r.Host, r.Proto)
	}), Plain())
	client := &http.Client{Transport: &http.Transport{DialContext: in.Dial}}
	res, err := client.Get("http://api.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body))
	_, err = in.Dial(context.Background(), "tcp", "elsewhere.example.com:443")
	fmt.Println(err)
	// Output:
	// api.example.com over HTTP/1.1
	// dial tcp: lookup elsewhere.example.com: no such host
}
