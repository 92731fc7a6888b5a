// Package recheck asks again, later, what an audit asked: whether a service knows the
// person, and what the app does when they come back.
//
// [Run] makes a bundle of its own that names the earlier one and carries what websites
// answered in it, so that it can be judged by itself. [Due] lists what is wanted when.
package recheck

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/probe"
	"github.com/unasked-audit/unasked/harness/protocol"
)

//go:embed launch.yaml
var launch []byte

// ErrNothing is returned by [Run] where there is nothing to be done again.
var ErrNothing = errors.New("there is nothing to ask again")

// maxProbe bounds a probe's file, in bytes.
const maxProbe = 1 << 20

// Run rechecks a bundle into o.Out. Where o has a Provider, the app that the bundle holds is
// installed and launched once on its device; else only the websites are asked. Of o, what
// the bundle says is taken from the bundle: files, protocol, probes and seed.
func Run(ctx context.Context, b *evidence.Bundle, o audit.Options) (sealed bool, err error) {
	start, err := begun(ctx, b)
	if err != nil {
		return false, err
	}
	if o.Probes, err = probes(ctx, b); err != nil {
		return false, err
	}
	if o.Seed, err = hex.DecodeString(start.Seed); err != nil || len(o.Seed) == 0 {
		return false, fmt.Errorf("the evidence in %s holds no seed, from which the identity could be made again", b.Dir())
	}
	if o.Protocol, err = protocol.Parse("recheck", launch); err != nil {
		return false, err
	}
	o.Recheck = b
	if o.Provider == nil {
		if len(o.Probes) == 0 {
			return false, fmt.Errorf("%w: the evidence in %s holds no probe, and no device is given to launch the app on", ErrNothing, b.Dir())
		}
		return ask(ctx, b, o, start)
	}
	dir, err := os.MkdirTemp("", "unasked-recheck-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.Files, err = app(b, dir); err != nil {
		return false, err
	}
	return audit.Run(ctx, o)
}

// begun reads how a bundle begins.
func begun(ctx context.Context, b *evidence.Bundle) (start evidence.AuditStart, err error) {
	for e, err := range b.Events(ctx) {
		if err != nil {
			return start, fmt.Errorf("read the evidence in %s: %w", b.Dir(), err)
		}
		if e.Kind != evidence.KindAuditStart {
			break
		}
		if err := json.Unmarshal(e.Data, &start); err != nil {
			return start, fmt.Errorf("event %d (%s) of %s: %w", e.Seq, e.Kind, b.Dir(), err)
		}
		return start, nil
	}
	return start, fmt.Errorf("the evidence in %s is not that of an audit", b.Dir())
}

// probes are those that a bundle's websites were asked with, each once.
func probes(ctx context.Context, b *evidence.Bundle) ([]*probe.Probe, error) {
	var list []*probe.Probe
	seen := map[evidence.Digest]bool{}
	for e, err := range b.Events(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the evidence in %s: %w", b.Dir(), err)
		}
		if e.Kind != evidence.KindProbe {
			continue
		}
		var p evidence.Probe
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("event %d (%s) of %s: %w", e.Seq, e.Kind, b.Dir(), err)
		}
		if seen[p.Source] {
			continue
		}
		seen[p.Source] = true
		source, err := read(b, p.Source, maxProbe)
		if err != nil {
			return nil, fmt.Errorf("the probe %q of %s: %w", p.Name, b.Dir(), err)
		}
		parsed, err := probe.Parse(p.Name, source)
		if err != nil {
			return nil, err
		}
		list = append(list, parsed)
	}
	return list, ctx.Err()
}

func read(b *evidence.Bundle, d evidence.Digest, most int64) ([]byte, error) {
	r, err := b.Blob(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("blob %s has more than %d bytes", d, most)
	}
	return data, err
}

// app writes the app's files into a folder.
func app(b *evidence.Bundle, dir string) ([]string, error) {
	var files []string
	for i, f := range b.Manifest().App.Files {
		name := filepath.Join(dir, fmt.Sprintf("%d.apk", i))
		if err := write(b, f.Blob, name); err != nil {
			return nil, fmt.Errorf("the app in %s: %w", b.Dir(), err)
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the evidence in %s holds no app", b.Dir())
	}
	return files, nil
}

func write(b *evidence.Bundle, d evidence.Digest, name string) error {
	r, err := b.Blob(d)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// ask asks the websites, without a device.
func ask(ctx context.Context, b *evidence.Bundle, o audit.Options, start evidence.AuditStart) (sealed bool, err error) {
	earlier, err := probe.Link(ctx, b)
	if err != nil {
		return false, err
	}
	log, err := evidence.Create(o.Out, o.Now)
	if err != nil {
		return false, err
	}
	if o.Begun != nil {
		o.Begun(log)
	}
	m := b.Manifest()
	sealing := evidence.Manifest{Tool: o.Tool, Protocol: o.Protocol.Name, Knowledge: o.Knowledge.Version(), App: m.App, Identity: m.Identity, Decoys: m.Decoys}
	err = func() error {
		source, _, err := log.PutBlob(bytes.NewReader(o.Protocol.Source))
		if err != nil {
			return err
		}
		first, err := log.Append(evidence.KindAuditStart, evidence.AuditStart{
			Tool: o.Tool, Command: o.Command, Protocol: o.Protocol.Name, Source: source, Seed: start.Seed,
			Knowledge: sealing.Knowledge, Identity: m.Identity, Decoys: m.Decoys, Earlier: earlier,
		})
		if err != nil {
			return err
		}
		sealing.Started = first.At
		asker := &probe.Asker{Log: log, Identity: m.Identity, Decoys: m.Decoys, Options: probe.Options{Barriers: o.Knowledge.Barriers, Tool: o.Tool, Now: o.Now}}
		if err := asker.Carry(ctx, b); err != nil {
			return err
		}
		for _, p := range o.Probes {
			if err := asker.Ask(ctx, p, evidence.ProbeLater); err != nil {
				return err
			}
		}
		return nil
	}()
	sealing.End = evidence.AuditEnd{How: evidence.Completed}
	switch {
	case err != nil && ctx.Err() != nil:
		sealing.End, err = evidence.AuditEnd{How: evidence.Interrupted, Error: "whoever ran it ended it"}, audit.ErrInterrupted
	case err != nil:
		sealing.End = evidence.AuditEnd{How: evidence.Failed, Error: err.Error()}
	}
	_, recorded := log.Append(evidence.KindAuditEnd, sealing.End)
	closing := log.Seal(sealing)
	return closing == nil, errors.Join(err, recorded, closing)
}
