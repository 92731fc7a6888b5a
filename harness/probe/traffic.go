package probe

import (
	"sync"

	"github.com/chromedp/cdproto/network"
)

// The bounds of what is kept of a page's requests.
const (
	maxRequests = 1000
	maxURL      = 4096
)

// traffic notes the requests of a page. It is safe for concurrent use.
type traffic struct {
	mu       sync.Mutex
	requests []Request
	byID     map[network.RequestID]int
	status   int // of the page itself
}

// take notes an event; frame is the page's own.
func (t *traffic) take(frame string, ev any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request == nil || len(t.requests) == maxRequests {
			return
		}
		if i, ok := t.byID[e.RequestID]; ok && e.RedirectResponse != nil {
			t.requests[i].Status = e.RedirectResponse.Status // the answer was to go on
		}
		if t.byID == nil {
			t.byID = map[network.RequestID]int{}
		}
		t.byID[e.RequestID] = len(t.requests)
		t.requests = append(t.requests, Request{Method: e.Request.Method, URL: cut(e.Request.URL), Type: string(e.Type)})
		if e.Type == network.ResourceTypeDocument && string(e.FrameID) == frame {
			t.status = 0 // another page is under way
		}
	case *network.EventResponseReceived:
		if e.Response == nil {
			return
		}
		if i, ok := t.byID[e.RequestID]; ok {
			t.requests[i].Status, t.requests[i].Media = e.Response.Status, cut(e.Response.MimeType)
		}
		if e.Type == network.ResourceTypeDocument && string(e.FrameID) == frame {
			t.status = int(e.Response.Status)
		}
	case *network.EventLoadingFailed:
		if i, ok := t.byID[e.RequestID]; ok {
			t.requests[i].Failed = cut(e.ErrorText)
		}
	}
}

func cut(s string) string { return s[:min(len(s), maxURL)] }

// all are the requests so far, and the status of the page.
func (t *traffic) all() ([]Request, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Request{}, t.requests...), t.status
}
