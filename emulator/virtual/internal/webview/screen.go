package webview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
)

// Screenshot is a PNG of the screen in device pixels; see [android.Process].
func (p *process) Screenshot(ctx context.Context) ([]byte, error) {
	if err := p.alive(ctx); err != nil {
		return nil, fmt.Errorf("screenshot of %s: %w", p.launch.Package, err)
	}
	shot, err := look(p, func(f face) ([]byte, error) {
		return capture(ctx, f.session, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, OptimizeForSpeed: new(true)})
	})
	if err == nil {
		shot, err = crop(shot, p.launch.Device.Screen)
	}
	if err != nil {
		return nil, fmt.Errorf("screenshot of %s: %w", p.launch.Package, err)
	}
	return shot, nil
}

// look looks at the page in front, and at the next one when a prompt goes away
// meanwhile.
func look[T any](p *process, at func(face) (T, error)) (T, error) {
	for {
		f := p.front()
		seen, err := at(f)
		if !errors.Is(err, errGone) || !f.system {
			return seen, err
		}
		// The prompt's page goes a moment before the prompt.
		select {
		case p.prompts <- struct{}{}:
			<-p.prompts
		case <-p.ctx.Done():
			return seen, err
		}
	}
}

// crop cuts a picture to the screen, which is a whole number of pixels but may
// not be one of CSS pixels. Having Chromium do it would tell the page of a
// change of size.
func crop(shot []byte, screen image.Point) ([]byte, error) {
	config, err := png.DecodeConfig(bytes.NewReader(shot))
	if err != nil || config.Width == screen.X && config.Height == screen.Y {
		return shot, err
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	part, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return nil, fmt.Errorf("a picture of type %T", img)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err = encoder.Encode(&out, part.SubImage(image.Rectangle{Max: screen}))
	return out.Bytes(), err
}

func capture(ctx context.Context, s *session, params page.CaptureScreenshotParams) ([]byte, error) {
	shot, err := call(ctx, s, page.CaptureScreenshot, params)
	return shot.Data, err
}

// SetForeground hides the page as when another app comes to the front, or shows
// it again: its visibility and focus change, and hidden it does not paint.
func (p *process) SetForeground(ctx context.Context, on bool) error {
	if err := p.alive(ctx); err != nil {
		return fmt.Errorf("foreground of %s: %w", p.launch.Package, err)
	}
	state := cdpbrowser.WindowStateMinimized
	if on {
		state = cdpbrowser.WindowStateNormal
	}
	window, err := call(ctx, p.page(), cdpbrowser.GetWindowForTarget, cdpbrowser.GetWindowForTargetParams{})
	if err == nil {
		_, err = call(ctx, p.browser.wire.browser(), cdpbrowser.SetWindowBounds, cdpbrowser.SetWindowBoundsParams{
			WindowID: window.WindowID, Bounds: &cdpbrowser.Bounds{WindowState: state},
		})
	}
	if err != nil {
		return fmt.Errorf("foreground of %s: %w", p.launch.Package, err)
	}
	return nil
}
