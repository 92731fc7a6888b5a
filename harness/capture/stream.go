package capture

import (
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// relayBuffer is how much is passed on at once, in bytes: some TLS records.
const relayBuffer = 128 << 10

// buffers are reused, for a connection that is idle needs two.
var buffers = sync.Pool{New: func() any { b := make([]byte, relayBuffer); return &b }}

// maxRecord is how many bytes a TLS record holds at most (RFC 8446 section 5.1).
const maxRecord = 16 << 10

// stream is one end of a relay, TLS taken off.
type stream struct {
	*socket
	tls *tls.Conn // nil in the clear

	ahead  []byte    // what await has read
	began  func()    // called with the first bytes that are read; may be nil
	taken  int64     // bytes that were read
	failed error     // how reading ended; nil while it has not
	at     time.Time // when
}

// Read waits for bytes, and takes as many as are there and p can hold.
func (s *stream) Read(p []byte) (n int, err error) {
	switch {
	case len(s.ahead) > 0:
		n = copy(p, s.ahead)
		s.ahead = s.ahead[n:]
		return n, nil
	case s.tls == nil:
		n, err = s.socket.Read(p)
	default:
		n, err = s.readTLS(p)
	}
	s.taken += int64(n)
	if n > 0 && s.began != nil {
		s.began()
		s.began = nil
	}
	if err != nil && !isTimeout(err) && s.failed == nil {
		s.failed, s.at = err, time.Now()
	}
	return n, err
}

// readTLS takes all the records that are here, and waits for one.
func (s *stream) readTLS(p []byte) (int, error) {
	n, err := s.tls.Read(p)
	s.polling = true
	for err == nil && len(p)-n >= maxRecord {
		var more int
		more, err = s.tls.Read(p[n:])
		n += more
	}
	s.polling = false
	if errors.Is(err, errLater) {
		err = nil
	}
	return n, err
}

// await waits until something can be read.
func (s *stream) await() error {
	if s.tls == nil {
		_, err := s.some()
		return err
	}
	b := make([]byte, maxRecord)
	n, err := s.Read(b)
	s.ahead = b[:n]
	if n > 0 {
		return nil
	}
	return err
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	if s.tls == nil {
		return s.socket.Write(p)
	}
	return s.tls.Write(p)
}

// CloseWrite says that nothing more will be written.
func (s *stream) CloseWrite() error {
	if s.tls == nil {
		return s.socket.CloseWrite()
	}
	_ = s.socket.SetWriteDeadline(time.Now().Add(goodbye))
	return errors.Join(s.tls.CloseWrite(), s.socket.CloseWrite())
}

// goodbye bounds how long the last bytes of a connection may take.
const goodbye = 5 * time.Second

// Close closes the connection, with TLS's own farewell.
func (s *stream) Close() error {
	if s.tls == nil {
		return s.socket.Close()
	}
	return s.tls.Close()
}

// describeTLS says how a connection is protected.
func describeTLS(s tls.ConnectionState) *flow.TLS {
	t := &flow.TLS{Version: tls.VersionName(s.Version), ALPN: s.NegotiatedProtocol, SNI: s.ServerName}
	for _, c := range s.PeerCertificates {
		t.Chain = append(t.Chain, evidence.DigestOf(c.Raw))
	}
	return t
}
