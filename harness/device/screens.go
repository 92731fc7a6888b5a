package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/screen"
)

// ErrUnsettled says that the screen went on changing.
var ErrUnsettled = errors.New("the screen did not come to rest")

// pictureLimit bounds a screenshot, in bytes.
const pictureLimit = 64 << 20

var pngStart = []byte("\x89PNG\r\n\x1a\n")

// Screenshot returns what is on the screen as a PNG.
func (d *Device) Screenshot(ctx context.Context) ([]byte, error) {
	r, err := d.adb.Exec(ctx, "screencap -p")
	if err != nil {
		return nil, fmt.Errorf("screenshot of %s: %w", d, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, pictureLimit))
	if err != nil {
		return nil, fmt.Errorf("screenshot of %s: %w", d, err)
	}
	// Devices with several displays print a warning first.
	if i := bytes.Index(b, pngStart); i >= 0 && i < 4096 {
		return b[i:], nil
	}
	return nil, fmt.Errorf("screenshot of %s: screencap gave no PNG but %q", d, b[:min(len(b), 100)])
}

const (
	dumpFile  = "/data/local/tmp/unasked-screen.xml"
	dumpTries = 5
	dumpPause = 300 * time.Millisecond
	// dumpTime is how long one dump may take: uiautomator itself gives up after 10 s without rest.
	dumpTime = 25 * time.Second
)

// Screen returns what is on the screen: as a tree, and as uiautomator wrote it.
// It tries again where uiautomator fails in the ways it is known to fail (no root
// node, no idle state, killed); after that the error wraps [screen.ErrNoScreen]
// and says why, and a caller has the screenshot only.
func (d *Device) Screen(ctx context.Context) (*screen.Node, []byte, error) {
	root, raw, err := look(ctx, d.dump)
	if err != nil {
		return nil, raw, fmt.Errorf("screen of %s: %w", d, err)
	}
	return root, raw, nil
}

// look dumps the screen until a dump can be read.
func look(ctx context.Context, dump func(context.Context) ([]byte, error)) (*screen.Node, []byte, error) {
	var why error
	for try := range dumpTries {
		if try > 0 {
			if err := wait(ctx, dumpPause); err != nil {
				return nil, nil, err
			}
		}
		raw, err := inTime(ctx, dump)
		if err == nil {
			var root *screen.Node
			if root, err = screen.Parse(bytes.NewReader(raw)); err == nil {
				return root, raw, nil
			}
		}
		if !errors.Is(err, screen.ErrNoScreen) {
			return nil, raw, err
		}
		why = err
	}
	return nil, nil, fmt.Errorf("after %d tries: %w", dumpTries, why)
}

// inTime gives up on a uiautomator that never ends.
func inTime(ctx context.Context, dump func(context.Context) ([]byte, error)) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, dumpTime)
	defer cancel()
	raw, err := dump(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%w: uiautomator did not end within %s", screen.ErrNoScreen, dumpTime)
	}
	return raw, err
}

// dump runs uiautomator once. The old file goes first, so that it can't be taken
// for the new one, and the new one goes when it was read.
func (d *Device) dump(ctx context.Context) ([]byte, error) {
	res, err := d.ask(ctx, "rm -f "+dumpFile+"; uiautomator dump "+dumpFile+" >&2; cat "+dumpFile+"; rm -f "+dumpFile)
	if err != nil {
		return nil, err
	}
	// A device without shell v2 mixes the two streams; the file begins with a tag either way.
	at := bytes.IndexByte(res.Stdout, '<')
	if why := dumpFault(res); why != "" {
		return nil, fmt.Errorf("%w: uiautomator says %q", screen.ErrNoScreen, why)
	}
	if at < 0 {
		return nil, fmt.Errorf("%w: uiautomator wrote no file", screen.ErrNoScreen)
	}
	return res.Stdout[at:], nil
}

// dumpFault is why uiautomator wrote no file, or "". Its exit code doesn't tell.
func dumpFault(res adb.Result) string {
	// "hierchary" is uiautomator's own spelling; newer builds may mend it.
	const wrote = "dumped to:"
	if strings.Contains(string(res.Stderr), wrote) || strings.Contains(string(res.Stdout), wrote) {
		return ""
	}
	if s := said(res); s != "" {
		return s
	}
	return "nothing"
}

// Settle waits until two looks at the screen in a row show the same, for at
// most the given time. The error wraps [ErrUnsettled] where they never do.
func (d *Device) Settle(ctx context.Context, most time.Duration) error {
	err := settle(ctx, most, func(ctx context.Context) (*screen.Node, error) {
		root, _, err := d.Screen(ctx)
		return root, err
	})
	if err != nil {
		return fmt.Errorf("wait for the screen to settle: %w", err)
	}
	return nil
}

// settlePause lies between two looks: an animation must have moved by then.
const settlePause = 250 * time.Millisecond

func settle(ctx context.Context, most time.Duration, look func(context.Context) (*screen.Node, error)) error {
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var last [sha256.Size]byte
	var why error
	for seen := false; ; {
		root, err := look(within)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			now := imprint(root)
			if seen && now == last {
				return nil
			}
			last, seen, why = now, true, nil
		case within.Err() != nil:
			// The time ended in the middle of a look, which says nothing of the screen.
		case errors.Is(err, screen.ErrNoScreen):
			why, seen = err, false
		default:
			return err
		}
		if wait(within, settlePause) != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case why != nil:
		return fmt.Errorf("%w within %s: %w", ErrUnsettled, most, why)
	}
	return fmt.Errorf("%w within %s", ErrUnsettled, most)
}

// systemUI draws the clock and the battery, which never rest.
const systemUI = "com.android.systemui"

// imprint is a hash of what a person would see of a tree.
func imprint(root *screen.Node) [sha256.Size]byte {
	h := sha256.New()
	var walk func(n *screen.Node)
	walk = func(n *screen.Node) {
		if n.Package == systemUI {
			return
		}
		fmt.Fprintf(h, "%q %q %q %q %v %t %t %d\n", n.Class, n.Text, n.Desc, n.ID, n.Bounds, n.Checked, n.Enabled, len(n.Children))
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(root)
	return [sha256.Size]byte(h.Sum(nil))
}
