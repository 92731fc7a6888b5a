package webview

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
)

// frames knows whose page stands in which frame.
type frames struct {
	mu      sync.Mutex
	origins map[cdp.FrameID]string
	changed chan struct{} // closed at the next change; nil when nobody waits
}

// navigated notes that a frame has a new page.
func (f *frames) navigated(id cdp.FrameID, origin string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.origins == nil {
		f.origins = map[cdp.FrameID]string{}
	}
	f.origins[id] = origin
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

func (f *frames) detached(id cdp.FrameID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.origins, id)
}

// own reports whether the app's own page stands in a frame. The news of a page
// may come after its first requests, so a frame that is not known is waited
// for, for a moment.
func (f *frames) own(ctx context.Context, id cdp.FrameID) bool {
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for {
		f.mu.Lock()
		o, known := f.origins[id]
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		if known {
			return o == origin
		}
		select {
		case <-changed:
		case <-patience.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// foreign reports whether a request to the app's own origin comes from a page
// of somebody else's. The browser writes Origin and Referer itself; a page can
// at most leave out the second, and then its frame tells. To navigate there is
// free to everybody: what stands there is then the app's own page.
func (p *process) foreign(e fetch.EventRequestPaused) bool {
	header := func(name string) string {
		for key, value := range e.Request.Headers {
			if s, ok := value.(string); ok && strings.EqualFold(key, name) {
				return s
			}
		}
		return ""
	}
	if from := header("Origin"); from != "" {
		return from != origin
	}
	if e.ResourceType == network.ResourceTypeDocument && e.Request.Method == http.MethodGet {
		return false
	}
	if from := header("Referer"); from != "" {
		return !strings.HasPrefix(from, origin+"/")
	}
	return !p.frames.own(p.ctx, e.FrameID)
}
