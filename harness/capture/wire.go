package capture

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// heldPackets is how many bytes of packets are held before they are written.
const heldPackets = 64 << 10

// wire keeps what passes on a connection with the device, byte for byte. A nil wire
// keeps nothing.
type wire struct {
	p *Proxy

	mu   sync.Mutex
	held []byte               // packets that are not written yet
	blob *evidence.BlobWriter // nil until there were too many
	keys []string
	over bool
	err  error
}

// keep takes bytes that passed. An error means that they can't be kept, and so must not pass.
func (w *wire) keep(sent bool, b []byte) error {
	if w == nil {
		return nil
	}
	now := w.p.o.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; len(b) > 0 && w.err == nil && !w.over; b = b[min(len(b), flow.MaxPacket):] {
		w.held = flow.AppendPacket(w.held, flow.Packet{At: now, Sent: sent, Data: b[:min(len(b), flow.MaxPacket)]})
		if len(w.held) >= heldPackets {
			w.write()
		}
	}
	return w.err
}

// write brings what is held to the disk. The caller holds w.mu.
func (w *wire) write() {
	if w.blob == nil {
		w.blob, w.err = w.p.o.Log.NewBlob()
	}
	if w.err == nil {
		_, w.err = w.blob.Write(w.held)
	}
	if w.err != nil {
		w.p.fail(w.err)
	}
	w.held = w.held[:0]
}

// Write implements io.Writer for tls.Config.KeyLogWriter.
func (w *wire) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = append(w.keys, strings.TrimSpace(string(line)))
	return len(line), nil
}

// end closes the blob, and says what was kept. It is called once.
func (w *wire) end() (packets evidence.Digest, keys []string) {
	if w == nil {
		return "", nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if len(w.held) > 0 && w.err == nil {
		w.write()
	}
	w.held = nil
	if w.blob == nil {
		return "", w.keys
	}
	packets, _, err := w.blob.Commit()
	if err != nil {
		w.p.fail(err)
	}
	return packets, w.keys
}

// logKeys has a connection's secrets kept with its packets.
func (w *wire) logKeys(c *tls.Config) {
	if w != nil {
		c.KeyLogWriter = w
	}
}

// recordWire records the connection as it was on the wire. It is at its end.
func (c *conn) recordWire() {
	packets, keys := c.device.wire.end()
	c.mu.Lock()
	w := flow.Wire{
		ID: c.id, Started: c.accepted, Ended: c.p.o.Now(), Client: c.client, Proxy: c.proxy, Server: c.server, UID: c.uid,
		Packets: packets, Keys: keys, Connect: c.connect, TLS: c.handshake,
	}
	c.mu.Unlock()
	w.Sent, w.Received = c.device.sent.Load(), c.device.received.Load()
	_ = c.p.record(c.at, evidence.KindWire, w)
}

// timed is how long something took, at least a nanosecond.
func timed(since time.Time) time.Duration { return max(1, time.Since(since)) }

// errOver: somebody writes on although the flow is over.
var errOver = errors.New("the flow is over")
