// Package pcapng writes the connections of an audit as a packet capture that Wireshark
// opens and reads in the clear.
//
// The format is pcapng, as draft-ietf-opsawg-pcapng describes it. What passed on each
// connection between device and proxy is in it byte for byte, and the TLS secrets are
// (Decryption Secrets Blocks). The proxy saw streams and no packets, so the headers of
// IP and TCP, and how bytes fall into segments, are made up; the file says so.
package pcapng

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// ExhibitKind is the kind of exhibit that is the device's own capture, as its tcpdump wrote it.
const ExhibitKind = "pcap"

// rebuilt says of the file what it is.
const rebuilt = "The headers of IP and TCP in this file were rebuilt from what a proxy saw on each connection, and so was how the bytes fall into segments. " +
	"What the connections carried is byte for byte what passed between the device and the proxy. Connections stand one after the other, each with its own times."

// keyLog is the type of secrets that are lines of NSS's key log format ("TLSK").
const keyLog = 0x544c534b

// mostFlows is how many flows the comment on a connection names.
const mostFlows = 16

// Result says what was written.
type Result struct {
	Connections int
	Packets     int
	Missing     int // connections whose bytes are not in the evidence
}

// Write writes the connections of an audit to w. It holds one packet at a time. tool is
// the program that writes, "unasked 0.1.0".
func Write(ctx context.Context, w io.Writer, ev evidence.Evidence, tool string) (Result, error) {
	var res Result
	out, err := pcapgo.NewNgWriterInterface(w, pcapgo.NgInterface{
		Name: "device", Description: "between the device and the proxy of unasked; " + "headers of IP and TCP are rebuilt",
		LinkType: layers.LinkTypeRaw, TimestampResolution: 9,
	}, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: tool, Comment: rebuilt}})
	if err != nil {
		return res, err
	}
	about, err := secrets(ctx, out, ev)
	if err != nil {
		return res, err
	}
	for x, err := range wires(ctx, ev) {
		if err != nil {
			return res, err
		}
		if x.Packets == "" {
			res.Missing++
			continue
		}
		n, err := connection(ctx, out, ev, &x.Wire, res.Connections, about.comment(x))
		res.Packets += n
		if err != nil {
			return res, fmt.Errorf("connection %s: %w", x.ID, err)
		}
		res.Connections++
	}
	return res, out.Flush()
}

// wired is a connection with its event.
type wired struct {
	flow.Wire
	event evidence.Event
}

func wires(ctx context.Context, ev evidence.Evidence) iter.Seq2[wired, error] {
	return func(yield func(wired, error) bool) {
		for e, err := range ev.Events(ctx) {
			x := wired{event: e}
			if err == nil {
				if e.Kind != evidence.KindWire {
					continue
				}
				err = json.Unmarshal(e.Data, &x.Wire)
			}
			if err != nil {
				yield(x, fmt.Errorf("read the log: %w", err))
				return
			}
			if !yield(x, nil) {
				return
			}
		}
	}
}

// carried are the flows that came on each connection.
type carried map[string]*flows

type flows struct {
	first []flow.ID
	more  int
}

// secrets writes those of all connections, for they must stand before the packets, and
// notes which flows came on which connection.
func secrets(ctx context.Context, out *pcapgo.NgWriter, ev evidence.Evidence) (carried, error) {
	about := carried{}
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		switch e.Kind {
		case evidence.KindWire:
			var x flow.Wire
			if err = json.Unmarshal(e.Data, &x); err == nil && len(x.Keys) > 0 {
				err = out.WriteDecryptionSecretsBlock(keyLog, []byte(strings.Join(x.Keys, "\n")+"\n"))
			}
		case evidence.KindRequest, evidence.KindConnection:
			var x struct {
				Flow flow.ID
				Wire string
			}
			if err = json.Unmarshal(e.Data, &x); err == nil && x.Wire != "" {
				about.add(x.Wire, x.Flow)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	return about, ctx.Err()
}

func (c carried) add(wire string, id flow.ID) {
	f := c[wire]
	if f == nil {
		f = &flows{}
		c[wire] = f
	}
	switch {
	case slices.Contains(f.first, id):
	case len(f.first) < mostFlows:
		f.first = append(f.first, id)
	default:
		f.more++
	}
}

// comment says what a connection is.
func (c carried) comment(x wired) string {
	parts := []string{"connection " + x.ID}
	if f := c[x.ID]; f != nil {
		var ids []string
		for _, id := range f.first {
			ids = append(ids, string(id))
		}
		list := "flows " + strings.Join(ids, ", ")
		if f.more > 0 {
			list += fmt.Sprintf(" and %d more", f.more)
		}
		parts = append(parts, list)
	}
	if x.event.Phase != "" {
		phase := "phase " + x.event.Phase
		if x.event.Arm != "" {
			phase = "arm " + x.event.Arm + ", " + phase
		}
		if x.event.Consent != "" {
			phase += " (" + string(x.event.Consent) + ")"
		}
		parts = append(parts, phase)
	}
	if x.UID != 0 {
		parts = append(parts, fmt.Sprintf("uid %d", x.UID))
	}
	if x.Server != "" {
		parts = append(parts, "joined with "+x.Server)
	}
	return strings.Join(parts, "; ")
}

// Exhibits yields the device's own captures.
func Exhibits(ctx context.Context, ev evidence.Evidence) iter.Seq2[evidence.Exhibit, error] {
	return func(yield func(evidence.Exhibit, error) bool) {
		for e, err := range ev.Events(ctx) {
			var x evidence.Exhibit
			if err == nil {
				if e.Kind != evidence.KindExhibit {
					continue
				}
				if err = json.Unmarshal(e.Data, &x); err == nil && x.Kind != ExhibitKind {
					continue
				}
			}
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// connection writes one connection; n is its place among all.
func connection(ctx context.Context, out *pcapgo.NgWriter, ev evidence.Evidence, x *flow.Wire, n int, comment string) (packets int, err error) {
	blob, err := ev.Blob(x.Packets)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, blob.Close()) }()
	s := newStream(out, x, n)
	if err := s.open(comment); err != nil {
		return s.packets, err
	}
	for p, err := range flow.Packets(blob) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			break // the audit was cut off here; what came before is whole
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = s.data(p)
		}
		if err != nil {
			return s.packets, err
		}
	}
	return s.packets, s.shut()
}
