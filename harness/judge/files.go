package judge

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// How much of an archive is looked at, in bytes.
const (
	longestEntry   = 64 << 20
	longestArchive = 2 << 30
	longestInside  = 512 << 20 // of an APK that has to be held
)

// eachAppFile calls do with the content of every file in the app's APKs.
func (c *inquiry) eachAppFile(ctx context.Context, do func([]byte)) error {
	for _, f := range c.app.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.eachEntry(f, do)
		if err != nil && !errors.Is(err, errSkipped) {
			return fmt.Errorf("read %s: %w", f.Name, err)
		}
		if err != nil {
			c.spots.note(fmt.Sprintf("The app's own file %s could not be searched: %v.", f.Name, errors.Unwrap(err)), "")
		}
	}
	return nil
}

// errSkipped marks what can't be read and need not be.
var errSkipped = errors.New("skipped")

func (c *inquiry) eachEntry(f evidence.File, do func([]byte)) error {
	blob, err := c.ev.Blob(f.Blob)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // imported traffic comes without the app
		}
		return err
	}
	defer blob.Close()
	at, ok := blob.(io.ReaderAt)
	size := f.Size
	if !ok {
		data, err := io.ReadAll(io.LimitReader(blob, longestInside+1))
		if err != nil {
			return err
		}
		at, size = bytes.NewReader(data), int64(len(data))
	}
	return entries(at, size, do)
}

// entries calls do with the content of every file in a ZIP.
func entries(at io.ReaderAt, size int64, do func([]byte)) error {
	z, err := zip.NewReader(at, size)
	if err != nil {
		return &skipped{err}
	}
	left := int64(longestArchive)
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			continue
		}
		data, _ := io.ReadAll(io.LimitReader(r, min(longestEntry, left)))
		r.Close()
		if left -= int64(len(data)); left <= 0 {
			return &skipped{fmt.Errorf("more than %d bytes come out of it", int64(longestArchive))}
		}
		do(data)
		// Strings in Android's binary XML and resources are often UTF-16.
		if bytes.Count(data, []byte{0}) > len(data)/8 {
			do(bytes.ReplaceAll(data, []byte{0}, nil))
		}
	}
	return nil
}

// skipped carries the reason why something was not read.
type skipped struct{ why error }

func (s *skipped) Error() string        { return s.why.Error() }
func (s *skipped) Unwrap() error        { return s.why }
func (s *skipped) Is(target error) bool { return target == errSkipped }

// readPrivate looks for canaries and credentials in the app's private files.
func (c *inquiry) readPrivate(ctx context.Context) error {
	minted, finder, err := c.credentials(c.issued())
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, x := range c.exhibits {
		if x.data.Kind != evidence.ExhibitPrivate {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.eachPrivate(x, func(name string, data []byte) {
			sum := sha256.Sum256(data)
			key := x.Arm + "\x00" + name + "\x00" + string(sum[:])
			if !seen[key] {
				seen[key] = true
				c.private(x, name, data, minted, finder)
			}
		})
		if err != nil {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The private files %q could not be read to their end: %v.", x.data.Title, err),
				Hides: []string{QuestionDeviceAccount}, Event: x.Seq,
			})
		}
	}
	return nil
}

func (c *inquiry) eachPrivate(x at[evidence.Exhibit], do func(name string, data []byte)) error {
	blob, err := c.ev.Blob(x.data.Blob)
	if err != nil {
		return err
	}
	defer blob.Close()
	r := tar.NewReader(io.LimitReader(blob, longestArchive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || h.Size == 0 {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, longestEntry))
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Size > longestEntry {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The app's private file %s has %d bytes; only the first %d were searched.", name, h.Size, int64(longestEntry)),
				Hides: []string{QuestionDeviceAccount}, Event: x.Seq,
			})
		}
		do(name, data)
	}
}

// kept is a minted value that may lie on the device.
type kept struct {
	*account.Minted
	outcome *account.Outcome
}

// credentials are the minted values of what was issued, to look for.
func (c *inquiry) credentials(outcomes []account.Outcome) ([]kept, *recognise.Finder, error) {
	var list []kept
	var texts [][]byte
	for i := range outcomes {
		o := &outcomes[i]
		for _, m := range o.Minted {
			if len(m.Value) < recognise.ShortestFound { // the number of a user stands everywhere
				continue
			}
			list = append(list, kept{m, o})
			texts = append(texts, []byte(m.Value))
		}
	}
	finder, err := recognise.NewFinder(texts)
	return list, finder, err
}

func (c *inquiry) private(x at[evidence.Exhibit], name string, data []byte, minted []kept, finder *recognise.Finder) {
	hits := c.needles.Collector()
	told := map[int]bool{}
	report := c.opener.File(name, data, func(p *unwrap.Part) {
		hits.Part(p)
		finder.Find(p.Data, func(i int) {
			if !told[i] {
				told[i] = true
				c.keptCredential(x, name, minted[i], p)
			}
		})
	})
	for _, cut := range report.Cuts {
		c.spots.note(fmt.Sprintf("The app's private file %s could not be opened in full: %s.", name, cut.Why), "")
	}
	for _, h := range hits.Hits() {
		p := c.pointer(x.Event, h.Surface, h.Chain, h.Excerpt)
		p.Blob = x.data.Blob
		if h.Decoy {
			if len(c.decoys.Matches) < mostMatches {
				c.decoys.Matches = append(c.decoys.Matches, p)
			}
			continue
		}
		label := c.kb.Disguises.Kind(h.Kind).Label
		c.findings.add(Finding{
			Claim: IdentifierIsOnlyApp, Subject: h.Kind, Value: h.Value,
			Title:   fmt.Sprintf("The app keeps the %s in its private files", label),
			Grounds: fmt.Sprintf("what was planted as the %s lies there%s; that alone is no sending", label, disguise(&h)),
		}, sighting{Pointer: p, arm: x.Arm, signup: c.signup(x.Arm, x.Phase)})
	}
}

func (c *inquiry) keptCredential(x at[evidence.Exhibit], name string, m kept, part *unwrap.Part) {
	what := "account"
	if m.outcome.Kind != knowledge.KindAccount {
		what = "guest session"
	}
	i := bytes.Index(part.Data, []byte(m.Value))
	p := c.pointer(x.Event, "file:"+name, part.Chain, part.Data[max(0, i-48):min(len(part.Data), i+len(m.Value)+48)])
	p.Blob, p.Role = x.data.Blob, "stored"
	here := sighting{Pointer: p, arm: x.Arm, signup: m.outcome.Signup}
	if m.outcome.Arm == x.Arm { // the way from the answer to the device and back stands in one finding
		c.findings.add(c.claims[m.outcome], here)
	}
	if m.outcome.Kind == knowledge.KindInstallation {
		return // an id of the installation lets nobody in
	}
	c.findings.add(Finding{
		Claim: CredentialsKept, Subject: m.outcome.Kind + " of " + m.outcome.Service, Host: m.outcome.Host, Value: cut(m.Value, longestExcerpt),
		Signature: m.outcome.Signature,
		Title:     fmt.Sprintf("The app keeps what its %s at %s is used with", what, m.outcome.Service),
		Grounds:   fmt.Sprintf("%s, which the service minted, lies in the app's private files", field(m.Minted)),
	}, here)
}

func field(m *account.Minted) string {
	if m.Key != "" {
		return m.Key
	}
	return m.At.Surface
}
