// Package tshark reads packet captures with Wireshark's command line program, which
// puts TCP together again and takes TLS off where the secrets are at hand.
//
// [Open] says which connections a capture holds, [Capture.Follow] what passed on them.
// What the program prints comes from a capture that may be hostile: it is read in
// bounded memory, and no line of it is believed to be well-formed.
package tshark

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ErrMissing is wrapped where the program is not installed.
var ErrMissing = errors.New("tshark is needed to read packet captures and is not installed (Debian and Ubuntu: apt install tshark; macOS: brew install wireshark)")

// The bounds of what is read.
const (
	maxLine    = 1 << 20  // bytes of one printed line
	maxSide    = 64 << 20 // bytes of one side of one connection
	maxStreams = 1 << 20  // connections of one capture
	batch      = 64       // connections that are followed in one run
	maxErrors  = 4 << 10  // bytes of what the program complains about
)

// Stream is a connection of a capture.
type Stream struct {
	Number         int
	Client, Server string // host:port
	Started, Ended time.Time
	TLS            bool
	SNI            string
	Sent, Received int64 // bytes of TCP's content

	Up, Down []byte // what passed, TLS taken off; set by Follow
	Cut      bool   // there was more
	Clear    bool   // Up and Down could be had: no TLS, or the secrets were at hand
}

// Query is a name that was asked for.
type Query struct {
	At         time.Time
	Name, Type string
	Client     string
}

// Datagrams are what passed over UDP between two ends.
type Datagrams struct {
	Client, Server string // host:port
	Started, Ended time.Time
	QUIC           bool
	Sent, Received int64
}

// Capture is what a file holds.
type Capture struct {
	path, keys string
	Streams    []*Stream
	Queries    []Query
	Datagrams  []*Datagrams
}

// fields are what is asked for of each packet, in this order.
var fields = []string{
	"frame.time_epoch", "tcp.stream", "udp.stream", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
	"tcp.len", "udp.length", "tls.record.content_type", "tls.handshake.extensions_server_name", "quic.long.packet_type", "dns.qry.name", "dns.qry.type", "dns.flags.response",
}

const (
	atTime = iota
	atTCP
	atUDP
	atFrom4
	atFrom6
	atTo4
	atTo6
	atTCPFrom
	atTCPTo
	atUDPFrom
	atUDPTo
	atTCPLength
	atUDPLength
	atTLS
	atSNI
	atQUIC
	atName
	atType
	atAnswer
)

// Open lists what a capture holds. keys is a file of TLS secrets, "" for those in the
// capture alone. The error wraps [ErrMissing] where the program is not installed, and
// says what the program complained about where it can't read the file.
func Open(ctx context.Context, path, keys string) (*Capture, error) {
	c := &Capture{path: path, keys: keys}
	args := []string{"-T", "fields", "-E", "separator=/t", "-E", "occurrence=f", "-Y", "tcp || udp"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	streams, datagrams := map[string]*Stream{}, map[string]*Datagrams{}
	err := c.run(ctx, args, func(line []byte) error {
		f := strings.Split(string(line), "\t")
		if len(f) != len(fields) {
			return nil
		}
		at := epoch(f[atTime])
		switch {
		case f[atName] != "" && f[atAnswer] != "1" && f[atAnswer] != "True":
			if len(c.Queries) < maxStreams {
				c.Queries = append(c.Queries, Query{At: at, Name: strings.ToLower(f[atName]), Type: queryType(f[atType]), Client: f[atFrom4] + f[atFrom6]})
			}
		case f[atName] != "":
		case f[atTCP] != "":
			return c.segment(streams, at, f)
		case f[atUDP] != "":
			c.datagram(datagrams, at, f)
		}
		return nil
	})
	return c, err
}

// segment takes a packet of TCP in.
func (c *Capture) segment(streams map[string]*Stream, at time.Time, f []string) error {
	from, to := place(f[atFrom4]+f[atFrom6], f[atTCPFrom]), place(f[atTo4]+f[atTo6], f[atTCPTo])
	s := streams[f[atTCP]]
	if s == nil {
		n, err := strconv.Atoi(f[atTCP])
		if err != nil || n < 0 {
			return nil
		}
		if len(c.Streams) >= maxStreams {
			return fmt.Errorf("the capture holds more than %d connections; split it (editcap -c)", maxStreams)
		}
		s = &Stream{Number: n, Client: from, Server: to, Started: at}
		streams[f[atTCP]] = s
		c.Streams = append(c.Streams, s)
	}
	s.Ended = at
	s.TLS = s.TLS || f[atTLS] != ""
	if s.SNI == "" {
		s.SNI = f[atSNI]
	}
	n, _ := strconv.ParseInt(f[atTCPLength], 10, 64)
	if from == s.Client {
		s.Sent += max(n, 0)
	} else {
		s.Received += max(n, 0)
	}
	return nil
}

// datagram takes a packet of UDP in.
func (c *Capture) datagram(datagrams map[string]*Datagrams, at time.Time, f []string) {
	from, to := place(f[atFrom4]+f[atFrom6], f[atUDPFrom]), place(f[atTo4]+f[atTo6], f[atUDPTo])
	d := datagrams[f[atUDP]]
	if d == nil {
		if len(c.Datagrams) >= maxStreams {
			return
		}
		d = &Datagrams{Client: from, Server: to, Started: at}
		datagrams[f[atUDP]] = d
		c.Datagrams = append(c.Datagrams, d)
	}
	d.Ended, d.QUIC = at, d.QUIC || f[atQUIC] != ""
	n, _ := strconv.ParseInt(f[atUDPLength], 10, 64)
	if n -= 8; from == d.Client { // less the header
		d.Sent += max(n, 0)
	} else {
		d.Received += max(n, 0)
	}
}

func place(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// epoch reads a time in seconds since 1970, with a fraction.
func epoch(text string) time.Time {
	whole, part, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || s < 0 || s > 1<<40 {
		return time.Time{}
	}
	n, _ := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	return time.Unix(s, max(n, 0)).UTC()
}

// queryType names the types that devices ask for; others are numbers.
func queryType(n string) string {
	switch n {
	case "1":
		return "A"
	case "28":
		return "AAAA"
	case "65":
		return "HTTPS"
	}
	return n
}

// Follow yields the connections with what passed on them, in the order of the capture; a
// connection's bytes are the caller's.
func (c *Capture) Follow(ctx context.Context) iter.Seq2[*Stream, error] {
	return func(yield func(*Stream, error) bool) {
		for rest := c.Streams; len(rest) > 0; {
			n, held := 1, rest[0].Sent+rest[0].Received
			for n < min(batch, len(rest)) && held+rest[n].Sent+rest[n].Received <= maxSide {
				held += rest[n].Sent + rest[n].Received
				n++
			}
			some := rest[:n]
			rest = rest[n:]
			if err := c.follow(ctx, some); err != nil {
				yield(nil, err)
				return
			}
			for _, s := range some {
				ok := yield(s, nil)
				s.Up, s.Down = nil, nil
				if !ok {
					return
				}
			}
		}
	}
}

// follow reads what passed on some connections, in one run of the program.
func (c *Capture) follow(ctx context.Context, some []*Stream) error {
	args := []string{"-q"}
	byNumber := map[string]*Stream{}
	for _, s := range some {
		protocol := "tcp"
		if s.TLS {
			protocol = "tls"
		}
		args = append(args, "-z", fmt.Sprintf("follow,%s,raw,%d", protocol, s.Number))
		byNumber[strconv.Itoa(s.Number)] = s
	}
	var s *Stream
	var turned bool // the side that is printed first is the server's, as behind a proxy
	return c.run(ctx, args, func(line []byte) error {
		if number, ok := bytes.CutPrefix(line, []byte("Filter: tcp.stream eq ")); ok {
			s = byNumber[string(bytes.TrimSpace(number))]
			return nil
		}
		if s == nil || len(line) == 0 {
			return nil
		}
		if node, ok := bytes.CutPrefix(line, []byte("Node 0: ")); ok {
			turned = string(bytes.TrimSpace(node)) != strings.NewReplacer("[", "", "]", "").Replace(s.Client)
			return nil
		}
		second := line[0] == '\t'
		if second {
			line = line[1:]
		}
		side := &s.Up
		if second != turned {
			side = &s.Down
		}
		data := make([]byte, hex.DecodedLen(len(line)))
		if _, err := hex.Decode(data, line); err != nil {
			return nil // a heading
		}
		s.Clear = true
		room := maxSide - len(*side)
		if len(data) > room {
			data, s.Cut = data[:room], true
		}
		*side = append(*side, data...)
		return nil
	})
}

// run runs the program on the capture and hands over each line that it prints.
func (c *Capture) run(ctx context.Context, args []string, line func([]byte) error) (err error) {
	program, err := exec.LookPath("tshark")
	if err != nil {
		return ErrMissing
	}
	home, err := os.MkdirTemp("", "unasked-tshark-*") // a person's own settings would change what is printed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	args = append([]string{"-n", "-r", c.path}, args...)
	if c.keys != "" {
		args = append(args, "-o", "tls.keylog_file:"+c.keys)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "LC_ALL=C")
	complaints := &bounded{}
	cmd.Stderr = complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	failed := lines(out, line)
	if failed != nil {
		stop()
	}
	ended := cmd.Wait()
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return ctx.Err()
	case ended != nil:
		return fmt.Errorf("tshark can't read it (%w): %s", ended, complaints.text())
	}
	return nil
}

// lines hands over each line; of one that is too long, the beginning.
func lines(in io.Reader, use func([]byte) error) error {
	r := bufio.NewReaderSize(in, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		if len(line) > 0 {
			if failed := use(bytes.TrimRight(line, "\r\n")); failed != nil {
				return failed
			}
		}
		for long {
			_, err = r.ReadSlice('\n')
			long = errors.Is(err, bufio.ErrBufferFull)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// bounded keeps the beginning of what is written.
type bounded struct{ b bytes.Buffer }

// Write implements io.Writer.
func (w *bounded) Write(p []byte) (int, error) {
	w.b.Write(p[:min(len(p), max(maxErrors-w.b.Len(), 0))])
	return len(p), nil
}

// text is the last line but those that are no complaint.
func (w *bounded) text() string {
	text := ""
	for line := range strings.Lines(w.b.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Running as user") {
			text = strings.TrimPrefix(line, "tshark: ")
		}
	}
	return text
}
