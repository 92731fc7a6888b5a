package reports

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// drawn is a picture that compresses badly, as a photograph does.
func drawn(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for i := range m.Pix {
		seed = seed*1664525 + 1013904223
		m.Pix[i] = uint8(seed >> 24)
		if i%4 == 3 {
			m.Pix[i] = 0xff
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLargePicturesAreMadeSmaller(t *testing.T) {
	p := &record.Picture{Blob: "ab", Moments: []record.Moment{{Title: "the feed"}}, Taps: []evidence.Tap{{X: 500, Y: 150, Text: "Post"}, {X: 9000, Y: 1}}}
	raw := drawn(t, 1080, 200)
	s, ok := newScreenshot(p, raw)
	if !ok {
		t.Fatal("the picture is refused")
	}
	encoded, isJPEG := strings.CutPrefix(string(s.Image), "data:image/jpeg;base64,")
	shown, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !isJPEG {
		t.Fatalf("%.40s: %v", s.Image, err)
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(shown))
	if err != nil || format != "jpeg" || cfg.Width != pageWidth || cfg.Height != 100 || len(shown) >= len(raw)/4 {
		t.Errorf("%s of %d by %d in %d bytes, %v", format, cfg.Width, cfg.Height, len(shown), err)
	}
	// Touches are placed on the original's pixels; one outside the picture is not drawn.
	if s.Width != 1080 || s.Height != 200 || len(s.Touches) != 1 || s.Touches[0].X != 500 {
		t.Errorf("%+v", s.Touches)
	}
}

func TestShrinkAverages(t *testing.T) {
	m := image.NewRGBA(image.Rect(10, 10, 14, 12)) // black and white columns
	for y := 10; y < 12; y++ {
		for x := 10; x < 14; x++ {
			m.SetRGBA(x, y, color.RGBA{uint8(x % 2 * 200), 100, 0, 0xff})
		}
	}
	if got := shrink(m, 2, 1).RGBAAt(1, 0); got != (color.RGBA{100, 100, 0, 0xff}) {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsNoPictureIsNotShown(t *testing.T) {
	p := &record.Picture{Moments: []record.Moment{{}}}
	huge := drawn(t, 8, 8)
	copy(huge[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // says that it is 65,536 by 65,536
	for name, raw := range map[string][]byte{
		"nothing": nil, "SVG": []byte("<svg/>"), "half a PNG": drawn(t, 20, 20)[:200], "a bomb": huge,
	} {
		if _, ok := newScreenshot(p, raw); ok {
			t.Errorf("%s is shown", name)
		}
	}
}
