package recheck

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// Wanted is one recheck that a protocol asks for.
type Wanted struct {
	Bundle string    `json:"bundle"` // the folder of the audit
	App    string    `json:"app"`    // its package
	After  string    `json:"after"`  // as the protocol has it, such as 7d
	At     time.Time `json:"at"`     // from when on it is due
	Done   string    `json:"done,omitempty"`
	Due    bool      `json:"due"` // it can be done now, and was not
}

// maxProtocol bounds a protocol's file, in bytes.
const maxProtocol = 1 << 20

// Due lists what the protocols of the audits in a folder, and in folders below it, want
// rechecked, by time. A recheck is done where a bundle below the folder rechecks the
// audit, or one of its rechecks, and was sealed when it was due or later. Bundles that
// are no audits, or that can't be read, are left out, and named in the errors.
func Due(ctx context.Context, dir string, now time.Time) (list []Wanted, unread []error, err error) {
	type audited struct {
		dir     string
		bundle  *evidence.Bundle
		start   evidence.AuditStart
		earlier evidence.Digest
	}
	var all []audited
	byDigest := map[evidence.Digest]int{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || d.Name() != "manifest.json" {
			return err
		}
		b, err := evidence.Open(filepath.Dir(path))
		if err != nil {
			unread = append(unread, err)
			return nil
		}
		start, err := begun(ctx, b)
		if err != nil {
			unread = append(unread, err)
			return nil
		}
		a := audited{dir: filepath.Dir(path), bundle: b, start: start}
		if start.Earlier != nil {
			a.earlier = start.Earlier.Manifest
		}
		byDigest[b.Digest()] = len(all)
		all = append(all, a)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	// first is the audit that a recheck is about in the end.
	first := func(i int) int {
		for range all {
			before, ok := byDigest[all[i].earlier]
			if all[i].earlier == "" || !ok {
				break
			}
			i = before
		}
		return i
	}
	for i := range all {
		if all[i].earlier != "" {
			continue
		}
		source, err := read(all[i].bundle, all[i].start.Source, maxProtocol)
		if err != nil {
			unread = append(unread, fmt.Errorf("the protocol of %s: %w", all[i].dir, err))
			continue
		}
		p, err := protocol.Parse(all[i].start.Protocol, source)
		if err != nil {
			unread = append(unread, fmt.Errorf("the protocol of %s: %w", all[i].dir, err))
			continue
		}
		m := all[i].bundle.Manifest()
		for _, delay := range p.Recheck {
			w := Wanted{Bundle: all[i].dir, App: m.App.Package, After: delay.String(), At: m.Sealed.Add(time.Duration(delay))}
			for k := range all {
				if k != i && first(k) == i && !all[k].bundle.Manifest().Sealed.Before(w.At) {
					w.Done = all[k].dir
					break
				}
			}
			w.Due = w.Done == "" && !now.Before(w.At)
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(a, b Wanted) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Bundle, b.Bundle)) })
	return list, unread, nil
}
