package har

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/chromedp/cdproto/har"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// Version is that of the format that is written.
const Version = "1.2"

// Write writes all flows of an audit to w as HAR 1.2, in the order in which they were
// recorded, and connections that could not be read as entries of their own. What HAR has
// no place for stands in members that begin with an underscore: messages of WebSockets
// as Chromium writes them, and [Unasked].
//
// It streams: what it holds does not grow with the number of flows or the length of
// bodies, apart from a few words for each connection. tool is the program, "unasked 0.1.0".
func Write(ctx context.Context, w io.Writer, ev evidence.Evidence, tool string) error {
	out := &writer{Writer: bufio.NewWriterSize(w, 64<<10), ctx: ctx, ev: ev}
	if err := out.survey(); err != nil {
		return err
	}
	if err := out.document(tool); err != nil {
		return err
	}
	return out.Flush()
}

// writer writes one file. The errors of its bufio.Writer stay until Flush, which says them.
type writer struct {
	*bufio.Writer
	ctx context.Context
	ev  evidence.Evidence

	pages    []*har.Page
	wires    map[string]*wire
	sockets  map[flow.ID]*socket
	outcomes map[flow.ID]*outcome
	kept     int // bytes of messages that sockets hold
	entries  int
}

// wire is what entries say of the connection that they came on.
type wire struct {
	connect, tls time.Duration
	server       string
	told         bool // by the first entry on it
}

// outcome is what became of a flow: a connection with the id of a request.
type outcome struct {
	reason, detail string
	bytes          bool // it has some of its own
	request        bool // its request was written
}

// survey reads what entries need to know before it stands in the log.
func (w *writer) survey() error {
	w.wires, w.sockets, w.outcomes = map[string]*wire{}, map[flow.ID]*socket{}, map[flow.ID]*outcome{}
	for e, err := range w.ev.Events(w.ctx) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		switch e.Kind {
		case evidence.KindPhaseStart:
			w.pages = append(w.pages, &har.Page{
				StartedDateTime: stamp(e.At), ID: page(e.Arm, e.Phase), Title: title(e), PageTimings: &har.PageTimings{},
			})
		case evidence.KindWire:
			var x flow.Wire
			if err = json.Unmarshal(e.Data, &x); err == nil {
				w.wires[x.ID] = &wire{connect: x.Connect, tls: x.TLS, server: x.Server}
			}
		case evidence.KindMessage:
			var m flow.Message
			if err = json.Unmarshal(e.Data, &m); err == nil {
				w.message(m, len(e.Data))
			}
		case evidence.KindConnection:
			var c flow.Connection
			if err = json.Unmarshal(e.Data, &c); err == nil {
				w.outcomes[c.Flow] = &outcome{reason: c.Reason, detail: c.Detail, bytes: c.Up.Size+c.Down.Size > 0}
			}
		}
		if err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	return w.ctx.Err()
}

// page is the id of a phase as a page.
func page(arm, phase string) string {
	if arm == "" {
		return phase
	}
	return arm + "/" + phase
}

func title(e evidence.Event) string {
	t := "Phase " + e.Phase
	if e.Arm != "" {
		t = "Arm " + e.Arm + ", phase " + e.Phase
	}
	if e.Consent != "" {
		t += " (" + string(e.Consent) + ")"
	}
	return t
}

// document writes the file.
func (w *writer) document(tool string) error {
	creator := har.Creator{Name: "unasked", Version: version(tool), Comment: "Bodies are written without their content coding. Members of _unasked are described in docs/export.md."}
	if w.pages == nil {
		w.pages = []*har.Page{}
	}
	w.WriteString(`{"log":{"version":"` + Version + `","creator":`)
	if err := w.value(creator); err != nil {
		return err
	}
	w.WriteString(`,"pages":`)
	if err := w.value(w.pages); err != nil {
		return err
	}
	w.WriteString(`,"entries":[`)
	if err := w.all(); err != nil {
		return err
	}
	_, err := w.WriteString("\n]}}\n")
	return err
}

// all writes flows and connections, in the order of the log.
func (w *writer) all() error {
	flows, stopFlows := iter.Pull2(flow.Read(w.ctx, w.ev))
	defer stopFlows()
	connections, stopConnections := iter.Pull2(w.connections())
	defer stopConnections()
	f, ferr, more := flows()
	c, cerr, others := connections()
	for more || others {
		if err := errors.Join(ferr, cerr, w.ctx.Err()); err != nil {
			return err
		}
		if more && (!others || f.RequestEvent < c.Seq) {
			if err := w.flow(&f); err != nil {
				return fmt.Errorf("flow %s: %w", f.Request.Flow, err)
			}
			f, ferr, more = flows()
			continue
		}
		if err := w.connection(&c); err != nil {
			return fmt.Errorf("connection %s: %w", c.data.Flow, err)
		}
		c, cerr, others = connections()
	}
	return nil
}

// opened is a connection with its event.
type opened struct {
	evidence.Event
	data flow.Connection
}

// connections yields those without readable HTTP.
func (w *writer) connections() iter.Seq2[opened, error] {
	return func(yield func(opened, error) bool) {
		for e, err := range w.ev.Events(w.ctx) {
			o := opened{Event: e}
			if err == nil {
				if e.Kind != evidence.KindConnection {
					continue
				}
				err = json.Unmarshal(e.Data, &o.data)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// value writes JSON, with characters as they are.
func (w *writer) value(v any) error {
	text, err := encode(v)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// open writes an object without its end, so that members can follow.
func (w *writer) open(v any) error {
	text, err := encode(v)
	if err == nil {
		_, err = w.Write(text[:len(text)-1])
	}
	return err
}

// stamp is a time as HAR writes it (ISO 8601).
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

// ms is a duration as HAR has it.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
