package internet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// server answers HTTP on connections that it is handed.
type server struct {
	http     *http.Server
	listener *handover
	served   chan struct{} // closed when Serve has returned
}

type connKey struct{}

// serve starts a server; with a nil config it speaks plain HTTP.
func (in *Internet) serve(config *tls.Config) *server {
	s := &server{listener: &handover{conns: make(chan net.Conn), closed: make(chan struct{})}, served: make(chan struct{})}
	s.http = &http.Server{
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in.answer(w, r) }),
		TLSConfig:   config,
		BaseContext: func(net.Listener) context.Context { return in.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if t, ok := c.(*tls.Conn); ok {
				c = t.NetConn()
			}
			return context.WithValue(ctx, connKey{}, c)
		},
		// A client that distrusts a certificate is an everyday event here.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(s.served)
		if config == nil {
			s.http.Serve(s.listener)
		} else {
			s.http.ServeTLS(s.listener, "", "")
		}
	}()
	return s
}

func (s *server) accept(c net.Conn) {
	select {
	case s.listener.conns <- c:
	case <-s.listener.closed:
		c.Close()
	}
}

func (s *server) close() error {
	err := s.http.Close()
	<-s.served
	return err
}

// answer hands a request to the origin that the connection leads to.
func (in *Internet) answer(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return
	}
	in.running.Add(1)
	in.mu.Unlock()
	defer in.running.Done()
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		http.Error(w, "no origin", http.StatusInternalServerError)
		return
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	name, err := cleanName(host)
	if err != nil || in.lookup(name) != c.ep.site {
		http.Error(w, "this origin does not answer for "+host, http.StatusMisdirectedRequest)
		return
	}
	defer in.recorder.record(r, name, c.ep)()
	c.ep.handler.ServeHTTP(w, r)
}

// tlsConfig picks certificate and settings by the connection that asks.
func (in *Internet) tlsConfig() *tls.Config {
	return &tls.Config{
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if c, ok := hello.Conn.(*conn); ok && c.ep.tls != nil {
				return c.ep.tls, nil
			}
			return nil, nil
		},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, ok := hello.Conn.(*conn)
			if !ok {
				return nil, errors.New("a connection from nowhere")
			}
			// A server shows a certificate of its own to whoever asks for a name that it has not.
			name, err := cleanName(hello.ServerName)
			if err != nil || in.lookup(name) != c.ep.site {
				name = c.name
			}
			return in.ca.leaf(name)
		},
	}
}

// handover is a listener that is handed its connections.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *handover) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *handover) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *handover) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(198, 18, 0, 0)} }
