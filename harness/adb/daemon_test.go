package adb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// daemon is an adb daemon of a device, as small as the real adb server lets it
// be: no authorization, and the services that a test gives it. Its shell is this machine's.
type daemon struct {
	features string
	auth     bool   // ask for a key and accept none, as a phone does whose owner hasn't agreed
	root     string // folder that sync works in
	// serve answers a service before the usual ones do; it reports whether it knew it.
	serve func(d *daemon, service string, s *stream) bool

	listener net.Listener
	wg       sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
	isRoot   bool
	reverses map[string]string
}

const modern = "shell_v2,cmd,stat_v2,ls_v2"

func startDaemon(t *testing.T, d *daemon) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.listener = l
	d.reverses = map[string]string{}
	if d.root == "" {
		d.root = t.TempDir()
	}
	d.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns = append(d.conns, c)
			d.mu.Unlock()
			d.wg.Go(func() { d.talk(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		d.hangUp()
		d.wg.Wait()
	})
	return l.Addr().String()
}

// hangUp drops every connection, as a pulled cable does.
func (d *daemon) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		c.Close()
	}
	d.conns = nil
}

// unplug also refuses new ones.
func (d *daemon) unplug() {
	d.listener.Close()
	d.hangUp()
}

func packet(cmd string, a0, a1 uint32, data []byte) []byte {
	b := make([]byte, 24, 24+len(data))
	copy(b, cmd)
	var sum uint32
	for _, c := range data {
		sum += uint32(c)
	}
	for i, v := range []uint32{a0, a1, uint32(len(data)), sum, binary.LittleEndian.Uint32(b) ^ 0xffffffff} {
		binary.LittleEndian.PutUint32(b[4+4*i:], v)
	}
	return append(b, data...)
}

// stream is one open service.
type stream struct {
	conn          net.Conn
	write         *sync.Mutex
	local, remote uint32
	in            chan []byte
	acks          chan struct{}
	done          chan struct{}
	end           sync.Once
	rest          []byte
}

func (s *stream) finish() { s.end.Do(func() { close(s.done) }) }

func (s *stream) send(cmd string, data []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	_, err := s.conn.Write(packet(cmd, s.local, s.remote, data))
	return err
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		select {
		case b := <-s.in:
			s.rest = b
			s.send("OKAY", nil)
		case <-s.done:
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) Write(p []byte) (int, error) {
	done := 0
	for len(p) > 0 {
		chunk := p[:min(len(p), 64<<10)]
		if err := s.send("WRTE", chunk); err != nil {
			return done, err
		}
		select {
		case <-s.acks:
		case <-s.done:
			return done, errors.New("closed")
		}
		done += len(chunk)
		p = p[len(chunk):]
	}
	return done, nil
}

func (d *daemon) talk(c net.Conn) {
	defer c.Close()
	var mu sync.Mutex
	streams := map[uint32]*stream{} // by our own id
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range streams {
			s.finish()
		}
	}()
	var write sync.Mutex
	for next := uint32(1); ; {
		var head [24]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		cmd := string(head[:4])
		a0, a1 := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
		data := make([]byte, binary.LittleEndian.Uint32(head[12:]))
		if _, err := io.ReadFull(c, data); err != nil {
			return
		}
		mu.Lock()
		s := streams[a1]
		mu.Unlock()
		switch cmd {
		case "CNXN", "AUTH":
			if d.auth {
				write.Lock()
				c.Write(packet("AUTH", 1, 0, bytes.Repeat([]byte{7}, 20)))
				write.Unlock()
				continue
			}
			write.Lock()
			c.Write(packet("CNXN", 0x01000001, 1<<20, []byte("device::ro.product.name=fake;ro.product.model=Fake Phone;ro.product.device=fake;features="+d.features)))
			write.Unlock()
		case "OPEN":
			s := &stream{conn: c, write: &write, local: next, remote: a0, in: make(chan []byte, 1), acks: make(chan struct{}, 1), done: make(chan struct{})}
			next++
			mu.Lock()
			streams[s.local] = s
			mu.Unlock()
			service := strings.TrimSuffix(string(data), "\x00")
			wg.Go(func() {
				if !d.answer(service, s) {
					write.Lock()
					c.Write(packet("CLSE", 0, s.remote, nil))
					write.Unlock()
					return
				}
				s.send("CLSE", nil)
				s.finish()
			})
		case "WRTE":
			if s != nil {
				select {
				case s.in <- data:
				case <-s.done:
				}
			}
		case "OKAY":
			if s != nil {
				select {
				case s.acks <- struct{}{}:
				case <-s.done:
				}
			}
		case "CLSE":
			if s != nil {
				s.finish()
			}
		}
	}
}

// answer serves one service; false refuses it.
func (d *daemon) answer(service string, s *stream) bool {
	if d.serve != nil && d.serve(d, service, s) {
		return true
	}
	accept := func() { s.send("OKAY", nil) }
	name, rest, _ := strings.Cut(service, ":")
	switch {
	case strings.HasPrefix(name, "shell,v2"):
		accept()
		d.shellV2(rest, s)
	case name == "shell":
		accept()
		var out bytes.Buffer
		s.run(rest, &out, &out)
		s.Write(bytes.ReplaceAll(out.Bytes(), []byte("\n"), []byte("\r\n")))
	case name == "exec":
		accept()
		s.run(rest, s, s)
	case name == "sync":
		accept()
		d.sync(s)
	case name == "root" || name == "unroot":
		accept()
		d.mu.Lock()
		d.isRoot = name == "root"
		d.mu.Unlock()
		fmt.Fprintf(s, "restarting adbd as %s\n", map[bool]string{true: "root", false: "non root"}[name == "root"])
		s.send("CLSE", nil)
		d.hangUp()
	case name == "reverse":
		accept()
		d.reverse(rest, s)
	default:
		return false
	}
	return true
}

func (d *daemon) shellV2(script string, s *stream) {
	if script == "id -u" {
		d.mu.Lock()
		defer d.mu.Unlock()
		script = map[bool]string{true: "echo 0", false: "echo 2000"}[d.isRoot]
	}
	var mu sync.Mutex
	pack := func(id byte) io.Writer {
		return writerFunc(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			b := append([]byte{id, 0, 0, 0, 0}, p...)
			binary.LittleEndian.PutUint32(b[1:], uint32(len(p)))
			if _, err := s.Write(b); err != nil {
				return 0, err
			}
			return len(p), nil
		})
	}
	pack(shellExit).Write([]byte{byte(s.run(script, pack(shellStdout), pack(shellStderr)))})
}

// run runs a script and kills it when the stream is closed from the other side.
func (s *stream) run(script string, stdout, stderr io.Writer) (code int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Run()
	return cmd.ProcessState.ExitCode()
}

func (d *daemon) reverse(what string, s *stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	str := func(t string) { fmt.Fprintf(s, "%04x%s", len(t), t) }
	switch {
	case strings.HasPrefix(what, "forward:"):
		from, to, _ := strings.Cut(strings.TrimPrefix(what, "forward:"), ";")
		if from == "tcp:1" {
			io.WriteString(s, "FAIL")
			str("cannot bind listener: Permission denied")
			return
		}
		if from == "tcp:0" {
			from = "tcp:40001"
		}
		d.reverses[from] = to
		io.WriteString(s, "OKAY")
		str(strings.TrimPrefix(from, "tcp:"))
	case what == "list-forward":
		list := ""
		for from, to := range d.reverses {
			list += "host-1 " + from + " " + to + "\n"
		}
		str(list)
	case strings.HasPrefix(what, "killforward:"):
		from := strings.TrimPrefix(what, "killforward:")
		if d.reverses[from] == "" {
			io.WriteString(s, "FAIL")
			str("listener '" + from + "' not found")
			return
		}
		delete(d.reverses, from)
		io.WriteString(s, "OKAY")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
