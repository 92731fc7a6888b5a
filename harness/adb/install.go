package adb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// APK is one file of an installation.
type APK struct {
	Name string // of the split, such as "base.apk"
	Size int64  // bytes
	Body io.Reader
}

// Install streams an APK of size bytes to the device's package manager; args
// are its own, such as "-r". The error is an [*InstallError] where the device refuses it.
func (d *Device) Install(ctx context.Context, r io.Reader, size int64, args ...string) error {
	streamed, err := d.has(ctx, "cmd")
	if err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	if !streamed {
		return d.installPushed(ctx, r, args)
	}
	words := append([]string{"install"}, args...)
	out, err := d.packageManager(ctx, append(words, "-S", strconv.FormatInt(size, 10)), r, size)
	if err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	return installVerdict(d, out)
}

var sessionOf = regexp.MustCompile(`created install session \[(\d+)\]`)

// InstallMultiple installs an app that comes in several APKs, as one session that holds all or nothing.
func (d *Device) InstallMultiple(ctx context.Context, apks []APK, args ...string) error {
	if len(apks) == 0 {
		return errors.New("install: no APK was given")
	}
	var total int64
	for _, a := range apks {
		total += a.Size
	}
	words := append([]string{"install-create"}, args...)
	out, err := d.packageManager(ctx, append(words, "-S", strconv.FormatInt(total, 10)), nil, 0)
	if err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	m := sessionOf.FindSubmatch(out)
	if m == nil {
		if err := installVerdict(d, out); err != nil {
			return err
		}
		return fmt.Errorf("install on %s: the device named no session: %q", d, clip(string(out)))
	}
	session := string(m[1])
	for i, a := range apks {
		// Names on the device are ours: a name from outside has no say there.
		name := strconv.Itoa(i) + ".apk"
		out, err := d.packageManager(ctx, []string{"install-write", "-S", strconv.FormatInt(a.Size, 10), session, name, "-"}, a.Body, a.Size)
		if err == nil {
			err = installVerdict(d, out)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", a.Name, err)
			if _, left := d.packageManager(ctx, []string{"install-abandon", session}, nil, 0); left != nil {
				err = fmt.Errorf("%w (and session %s is left behind: %w)", err, session, left)
			}
			return err
		}
	}
	out, err = d.packageManager(ctx, []string{"install-commit", session}, nil, 0)
	if err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	return installVerdict(d, out)
}

// packageManager runs `cmd package` with a stream for its stdin, over abb_exec
// where the device offers that, and returns what it says.
func (d *Device) packageManager(ctx context.Context, words []string, r io.Reader, size int64) ([]byte, error) {
	abb, err := d.has(ctx, "abb_exec")
	if err != nil {
		return nil, err
	}
	service := "abb_exec:package\x00" + strings.Join(words, "\x00")
	if !abb {
		service = "exec:cmd package"
		for _, w := range words {
			service += " " + Quote(w)
		}
	}
	c, err := d.open(ctx, service)
	if err != nil {
		return nil, err
	}
	defer c.Close()

	sent := make(chan error, 1)
	go func() { sent <- c.feed(r, size) }()
	out, readErr := io.ReadAll(io.LimitReader(c.Conn, maxOutput))
	// Whatever it says is its last word: it may have refused before the end of the stream.
	c.Conn.SetWriteDeadline(longAgo)
	sendErr := <-sent
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case len(strings.TrimSpace(string(out))) > 0:
		return out, nil
	case sendErr != nil:
		return nil, sendErr
	case readErr != nil:
		return nil, c.cause(readErr)
	}
	return nil, gone(d.name(), nil)
}

// feed sends size bytes of r. Where r has fewer, it closes the connection, for
// the device would wait for the rest; where the device stops listening it leaves
// it open, for there is an answer to read.
func (c *conn) feed(r io.Reader, size int64) error {
	if r == nil {
		return nil
	}
	buf := make([]byte, 256<<10)
	for left := size; left > 0; {
		n, err := r.Read(buf[:min(int64(len(buf)), left)])
		if n > 0 {
			if _, err := c.Conn.Write(buf[:n]); err != nil {
				return err
			}
			left -= int64(n)
		}
		if err != nil && left > 0 {
			c.Conn.Close()
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("the file ended after %d of %d bytes", size-left, size)
			}
			return err
		}
	}
	return nil
}

// installPushed is for devices before Android 7, whose package manager reads files only.
func (d *Device) installPushed(ctx context.Context, r io.Reader, args []string) error {
	const name = "/data/local/tmp/unasked-install.apk"
	if err := d.Push(ctx, r, name, 0o644); err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	script := "pm install"
	for _, a := range append(args, name) {
		script += " " + Quote(a)
	}
	res, err := d.Shell(ctx, script)
	if _, left := d.Shell(context.WithoutCancel(ctx), "rm -f "+name); err == nil && left != nil {
		err = left
	}
	if err != nil {
		return fmt.Errorf("install on %s: %w", d, err)
	}
	return installVerdict(d, append(res.Stdout, res.Stderr...))
}
