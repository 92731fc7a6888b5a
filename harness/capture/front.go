package capture

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// serveFront answers what comes to the proxy's own port.
func (p *Proxy) serveFront(w http.ResponseWriter, r *http.Request) {
	l := linkOf(r.Context())
	l.served.Add(1)
	switch {
	case r.Method == http.MethodConnect:
		p.serveConnect(w, r, l)
	case r.URL.IsAbs() && r.URL.Host != "" && (r.URL.Scheme == "http" || r.URL.Scheme == "https"):
		p.exchange(w, r, l, r.URL.Scheme, r.URL.Host, l.round)
	default:
		http.Error(w, "This is unasked's capture proxy. It answers requests that are addressed to a proxy: CONNECT, or with an absolute http or https URL.", http.StatusBadRequest)
	}
}

// serveConnect opens a tunnel. It always succeeds, so that what the app would
// send is recorded even where the origin can't be reached.
func (p *Proxy) serveConnect(w http.ResponseWriter, r *http.Request, front *link) {
	host, port, err := splitTarget(r.RequestURI)
	if err != nil {
		http.Error(w, fmt.Sprintf("CONNECT %s: %v", r.RequestURI, err), http.StatusBadRequest)
		return
	}
	l := &link{at: p.o.Log.Where(), started: p.o.Now(), client: front.client, host: host, port: port, wrote: p.wrote}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError) // HTTP/2 can't be, on this port
		return
	}
	t := newWire(prefixed{conn, buffered.Reader}, l)
	begun := p.spawn(t, func() {
		if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err == nil {
			p.tunnel(t)
		} // else the client is gone before anything was asked
	})
	if !begun {
		_ = conn.Close() // nothing was said on it yet
	}
}

// splitTarget reads the target of CONNECT.
func splitTarget(target string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(target)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || host == "" {
		return "", 0, fmt.Errorf("%q is no host and port", target)
	}
	return host, port, nil
}

// prefixed is a connection of which some bytes were read into a buffer already.
type prefixed struct {
	net.Conn
	r *bufio.Reader
}

// Read implements io.Reader.
func (c prefixed) Read(p []byte) (int, error) { return c.r.Read(p) }

// CloseWrite passes on that nothing more will be written.
func (c prefixed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
