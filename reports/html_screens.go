package reports

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
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
	maxPixels      = 16_000_000
	pageWidth      = 540     // pixels that a picture is wide in the page, at most
	pngLimit       = 100_000 // bytes; a larger one becomes JPEG
	shortDigest    = 16      // characters of a digest that name a screenshot in the page
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
	cfg, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return screenshot{}, false
	}
	shown, format, ok := smaller(raw, cfg)
	if !ok {
		return screenshot{}, false
	}
	s := screenshot{
		Short: inert.Line(string(p.Blob), shortDigest), Width: cfg.Width, Height: cfg.Height,
		Image: template.URL("data:image/" + format + ";base64," + base64.StdEncoding.EncodeToString(shown)), //nolint:gosec // format is one of the two encoders' names
	}
	for i, m := range p.Moments {
		if s.Title == "" {
			s.Title = title(inert.Line(m.Title, 120))
		}
		if i < 4 {
			when := m.At.UTC().Format("15:04:05")
			if m.Phase != "" { // a website's picture belongs to none
				when += ", phase " + inert.Line(m.Phase, 60)
			}
			s.When = append(s.When, when)
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

// smaller makes a picture fit for the page, in new bytes: nothing that hides in the file comes along. The
// original stays in the evidence, under the digest that stands below the picture.
func smaller(raw []byte, cfg image.Config) (out []byte, as string, ok bool) {
	m, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, "", false
	}
	if cfg.Width > pageWidth {
		m = shrink(m, pageWidth, max(cfg.Height*pageWidth/cfg.Width, 1))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return nil, "", false
	}
	if b.Len() <= pngLimit {
		return b.Bytes(), "png", true
	}
	b.Reset()
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 82}); err != nil {
		return nil, "", false
	}
	return b.Bytes(), "jpeg", true
}

// shrink averages the pixels that fall on each pixel of the smaller picture.
func shrink(m image.Image, width, height int) *image.RGBA {
	from := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(from, from.Bounds(), m, m.Bounds().Min, draw.Src)
	w, h := from.Bounds().Dx(), from.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		y0, y1 := y*h/height, max((y+1)*h/height, y*h/height+1)
		for x := range width {
			x0, x1 := x*w/width, max((x+1)*w/width, x*w/width+1)
			var r, g, b, n int
			for v := y0; v < y1; v++ {
				row := from.Pix[v*from.Stride+4*x0 : v*from.Stride+4*x1]
				for i := 0; i < len(row); i += 4 {
					r, g, b, n = r+int(row[i]), g+int(row[i+1]), b+int(row[i+2]), n+1
				}
			}
			out.SetRGBA(x, y, color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 0xff})
		}
	}
	return out
}
