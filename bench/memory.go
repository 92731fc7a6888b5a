package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// The upload that memory is watched over, and by how much it may grow.
const (
	bigUpload = 1 << 30 // bytes
	growth    = 48      // MB, for all buffers on the way and the collector's slack
)

// measureMemory watches our proxy's resident memory while one large upload passes.
func measureMemory(ctx context.Context, l *lab) (err error) {
	o, err := startOrigin()
	if err != nil {
		return err
	}
	defer o.close()
	c, err := l.start(ctx, "unasked", o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	senders := c.senders(o, 1<<20, 1)
	defer senders[0].close()
	if _, err := round(ctx, senders, 300*time.Millisecond); err != nil { // connections and pools stand
		return err
	}
	before, err := resident(c.process.Process.Pid)
	if err != nil {
		return err
	}
	size := int64(bigUpload)
	if l.quick {
		size /= 8
	}
	watch := watchMemory(c.process.Process.Pid)
	err = upload(ctx, senders[0], size)
	peak, watchErr := watch()
	if err := errors.Join(err, watchErr); err != nil {
		return err
	}
	l.table.most(fmt.Sprintf("proxy, memory that %d MB of upload add", size>>20), "MB", (float64(peak)-float64(before))/1e6, growth)
	return nil
}

// upload sends so many bytes in one request.
func upload(ctx context.Context, s *sender, size int64) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, newBody(size))
	if err != nil {
		return err
	}
	q.ContentLength = size
	q.Header.Set("X-Answer", "none")
	a, err := s.client.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", a.Status)
	}
	return nil
}

// watchMemory samples a process's resident memory until it is told to stop, and
// gives the most that it saw.
func watchMemory(pid int) (stop func() (int64, error)) {
	var (
		group sync.WaitGroup
		peak  int64
		err   error
	)
	done := make(chan struct{})
	group.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			n, readErr := resident(pid)
			if readErr != nil {
				err = readErr
				return
			}
			peak = max(peak, n)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() (int64, error) {
		close(done)
		group.Wait()
		return peak, err
	}
}

// resident is a process's memory, in bytes, as proc(5) tells it.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm is %q", pid, text)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
