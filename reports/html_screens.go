package reports

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	_ "image/jpeg" // screenshots are PNG; some devices give JPEG
	_ "image/png"
	"io"
	"io/fs"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// How much of the screenshots one page carries.
const (
	maxScreens     = 24
	maxScreenBytes = 2 << 20
	maxAllScreens  = 14 << 20
	maxPixels      = 10_000 // of a side
)

// screenshot is one distinct picture of the screen, as part of the page.
type screenshot struct {
	Short         string // the beginning of its digest
	Image         template.URL
	Width, Height int
	Title         string
	When          []string
	Touches       []touch
}

// touch is where we touched the screen that the picture shows.
type touch struct {
	X, Y, R, Label int
	Text           string
}

// screenshots reads distinct screenshots, those with a touch of ours before the others where there are too many.
func screenshots(ctx context.Context, ev evidence.Evidence, rec *record.Record) (shown []screenshot, left int, err error) {
	chosen := make(map[*record.Picture]bool)
	for _, touched := range []bool{true, false} {
		for _, p := range rec.Pictures {
			if len(chosen) < maxScreens && touched == (len(p.Taps) > 0) {
				chosen[p] = true
			}
		}
	}
	total := 0
	for _, p := range rec.Pictures {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if !chosen[p] || total > maxAllScreens {
			left++
			continue
		}
		raw, err := readPicture(ev, p.Blob)
		if err != nil {
			return nil, 0, err
		}
		s, ok := newScreenshot(p, raw)
		if !ok {
			left++
			continue
		}
		total += len(raw)
		shown = append(shown, s)
	}
	return shown, left, nil
}

// readPicture reads a blob; nothing for one that is too large or not there.
func readPicture(ev evidence.Evidence, d evidence.Digest) ([]byte, error) {
	rc, err := ev.Blob(d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	raw, err := io.ReadAll(io.LimitReader(rc, maxScreenBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read screenshot %s: %w", d, err)
	}
	if len(raw) > maxScreenBytes {
		return nil, nil
	}
	return raw, nil
}

// newScreenshot makes a screenshot of bytes that really are a picture.
func newScreenshot(p *record.Picture, raw []byte) (screenshot, bool) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels || cfg.Height > maxPixels {
		return screenshot{}, false
	}
	s := screenshot{
		Short: inert.Line(string(p.Blob), 16), Width: cfg.Width, Height: cfg.Height,
		Image: template.URL("data:image/" + format + ";base64," + base64.StdEncoding.EncodeToString(raw)), //nolint:gosec // format is one of the two decoders' names
	}
	for i, m := range p.Moments {
		if s.Title == "" {
			s.Title = title(inert.Line(m.Title, 120))
		}
		if i < 4 {
			s.When = append(s.When, fmt.Sprintf("%s, phase %s", m.At.UTC().Format("15:04:05"), inert.Line(m.Phase, 60)))
		}
	}
	if more := len(p.Moments) - 4; more > 0 {
		s.When = append(s.When, "and "+explain.Count(int64(more), "more time", "more times"))
	}
	for i, t := range p.Taps {
		if t.X < 0 || t.Y < 0 || t.X > cfg.Width || t.Y > cfg.Height {
			continue
		}
		s.Touches = append(s.Touches, touch{X: t.X, Y: t.Y, R: max(cfg.Width/18, 8), Label: i + 1, Text: inert.Line(t.Text, 60)})
	}
	return s, true
}
