package adb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// DeviceStateChangedEvent says that a device came, went or changed.
type DeviceStateChangedEvent struct {
	Serial             string
	OldState, NewState DeviceState // StateDisconnected for one that is not attached
}

// CameOnline reports whether the device can be used now and could not before.
func (e DeviceStateChangedEvent) CameOnline() bool {
	return e.NewState == StateOnline && e.OldState != StateOnline
}

// WentOffline reports whether the device could be used before and can't now.
func (e DeviceStateChangedEvent) WentOffline() bool {
	return e.OldState == StateOnline && e.NewState != StateOnline
}

// DeviceWatcher tells of every change among the server's devices.
type DeviceWatcher struct {
	events chan DeviceStateChangedEvent
	cancel context.CancelFunc
	done   chan struct{}

	mu  sync.Mutex
	err error
}

// NewDeviceWatcher begins to watch. The devices that are there already are the
// first events. The watcher ends with the context, with [DeviceWatcher.Shutdown], or with the server.
func (a *Adb) NewDeviceWatcher(ctx context.Context) (*DeviceWatcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	c, err := a.dial(ctx)
	if err == nil {
		if err = c.request("host:track-devices"); err != nil {
			c.Close()
		}
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watch devices: %w", err)
	}
	w := &DeviceWatcher{events: make(chan DeviceStateChangedEvent), cancel: cancel, done: make(chan struct{})}
	go w.run(a, c)
	return w, nil
}

// C is where the events come; it is closed when the watcher ends.
func (w *DeviceWatcher) C() <-chan DeviceStateChangedEvent { return w.events }

// Err is why the watcher ended by itself; nil before, and after Shutdown.
func (w *DeviceWatcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Shutdown ends the watcher and waits until it has.
func (w *DeviceWatcher) Shutdown() {
	w.cancel()
	<-w.done
}

// lookAgain is how often the watcher asks by itself: servers before 31 tell
// nothing when a device on TCP drops its connection.
const lookAgain = time.Second

func (w *DeviceWatcher) run(a *Adb, c *conn) {
	defer close(w.done)
	defer close(w.events)
	defer c.Close()
	known := map[string]DeviceState{}
	for {
		text, err := w.next(a, c)
		if err != nil {
			if c.ctx.Err() == nil {
				w.mu.Lock()
				w.err = fmt.Errorf("watch devices: %w", err)
				w.mu.Unlock()
			}
			return
		}
		now := map[string]DeviceState{}
		for _, d := range parseDevices(string(text)) {
			now[d.Serial] = d.State
		}
		for _, e := range changes(known, now) {
			select {
			case w.events <- e:
			case <-c.ctx.Done():
				return
			}
		}
		known = now
	}
}

// next is the server's next list of devices: the one it sends, or after a while the one it is asked for.
func (w *DeviceWatcher) next(a *Adb, c *conn) ([]byte, error) {
	var digits [4]byte
	for n := 0; n < len(digits); {
		c.SetReadDeadline(time.Now().Add(lookAgain))
		if c.ctx.Err() != nil {
			return nil, context.Cause(c.ctx) // its deadline may have been overwritten just now
		}
		m, err := c.Conn.Read(digits[n:])
		n += m
		if errors.Is(err, os.ErrDeadlineExceeded) && n == 0 && c.ctx.Err() == nil {
			return a.runningDevices(c.ctx)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, c.cause(err)
		}
	}
	c.SetReadDeadline(time.Time{})
	if c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	return c.readSized(digits)
}

// runningDevices asks for the devices and does not start a server that has ended.
func (a *Adb) runningDevices(ctx context.Context) ([]byte, error) {
	c, err := a.dialRunning(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.request("host:devices"); err != nil {
		return nil, err
	}
	return c.readString()
}

// changes lists what differs, by serial.
func changes(before, after map[string]DeviceState) []DeviceStateChangedEvent {
	serials := slices.Collect(maps.Keys(after))
	for s := range before {
		if _, ok := after[s]; !ok {
			serials = append(serials, s)
		}
	}
	slices.Sort(serials)
	state := func(m map[string]DeviceState, serial string) DeviceState {
		if s, ok := m[serial]; ok {
			return s
		}
		return StateDisconnected
	}
	var events []DeviceStateChangedEvent
	for _, s := range serials {
		if from, to := state(before, s), state(after, s); from != to {
			events = append(events, DeviceStateChangedEvent{Serial: s, OldState: from, NewState: to})
		}
	}
	return events
}
