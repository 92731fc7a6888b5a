package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// contender is a proxy in a process of its own, or no proxy.
type contender struct {
	name    string
	addr    string // of the proxy; "" for none
	reverse bool   // clients talk to it as if it were the origin
	process *exec.Cmd
	stdin   io.Closer
	dir     string
}

// start runs a proxy: "unasked", "goproxy", "bare", "mitmdump", or "none".
func (l *lab) start(ctx context.Context, name string, o *origin) (*contender, error) {
	c := &contender{name: name, reverse: name == "bare"}
	if name == "none" {
		return c, nil
	}
	var err error
	if c.dir, err = os.MkdirTemp(l.dir, name+"-"); err != nil {
		return nil, err
	}
	ca := filepath.Join(c.dir, "origin.pem")
	if err := os.WriteFile(ca, o.pem, 0o600); err != nil {
		return nil, err
	}
	if name == "mitmdump" {
		return c, c.mitmdump(ctx, ca)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c.process = exec.CommandContext(ctx, self, "serve", "-dir", c.dir, "-origin", o.addr, "-ca", ca, name)
	c.process.Stderr = os.Stderr
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.stdin, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s gave no address: %w", name, err), c.stop())
	}
	c.addr = strings.TrimSpace(line)
	return c, nil
}

// mitmdump records to a file and checks the origin's certificate, as ours does.
func (c *contender) mitmdump(ctx context.Context, ca string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.addr = l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		return err
	}
	c.process = exec.CommandContext(ctx, "mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", port, "-w", filepath.Join(c.dir, "flows"),
		"--set", "confdir="+c.dir, "--set", "ssl_verify_upstream_trusted_ca="+ca)
	c.process.Stderr = os.Stderr
	if err := c.process.Start(); err != nil {
		return fmt.Errorf("start mitmdump: %w", err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("mitmdump does not listen on %s: %w", c.addr, err), c.stop())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stop ends the process and takes away what it recorded.
func (c *contender) stop() error {
	if c.process == nil {
		return nil
	}
	if c.stdin == nil {
		_ = c.process.Process.Signal(os.Interrupt) // it may have ended by itself
		_ = c.process.Wait()                       // mitmdump's exit code after an interrupt says nothing
		return os.RemoveAll(c.dir)
	}
	err := errors.Join(c.stdin.Close(), c.process.Wait())
	if err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// senders are clients that go through it.
func (c *contender) senders(o *origin, size int64, n int) []*sender {
	target, proxy := "https://"+o.addr+"/v1/events", c.addr
	if c.reverse {
		target, proxy = "https://"+c.addr+"/v1/events", ""
	}
	list := make([]*sender, n)
	for i := range list {
		list[i] = newSender(target, proxy, size)
	}
	return list
}
