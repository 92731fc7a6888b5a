package android

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// picture is a PNG of what is on the screen.
func (s *System) picture(ctx context.Context) ([]byte, error) {
	if p := s.activities.foreground(); p != nil {
		data, err := p.run.Screenshot(ctx)
		if err == nil || !ended(p) {
			return data, err
		}
	}
	return encodePNG(s.homePicture())
}

// tree is what is on the screen, for uiautomator.
func (s *System) tree(ctx context.Context) (*Node, error) {
	if p := s.activities.foreground(); p != nil {
		root, err := p.run.Tree(ctx)
		if err == nil || !ended(p) {
			return root, err
		}
	}
	return s.homeTree(), nil
}

// screencap writes a picture of the screen: PNG with -p or to a file of that
// name, else the raw pixels behind a header of width, height, format and colour space.
func (s *System) screencap(ctx context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	asPNG := false
	for {
		opt, ok := args.option()
		if !ok {
			break
		}
		switch opt {
		case "-p":
			asPNG = true
		case "-d":
			args.next()
		default:
			fmt.Fprint(c.Stderr, "usage: screencap [-hp] [-d display-id] [FILENAME]\n")
			return 1
		}
	}
	name, toFile := args.next()
	asPNG = asPNG || strings.HasSuffix(name, ".png")
	data, err := s.picture(ctx)
	if err == nil && !asPNG {
		data, err = rawPixels(data)
	}
	if err != nil {
		return c.Errorf("Capturing failed: %v", err)
	}
	if toFile {
		if err := c.FS.WriteFile(c.Path(name), data, 0o660); err != nil {
			fmt.Fprintf(c.Stderr, "Error opening file: %s (%v)\n", name, err)
			return 1
		}
		return 0
	}
	if _, err := c.Stdout.Write(data); err != nil {
		return 1
	}
	return 0
}

// rawPixels turns a PNG into screencap's own format.
func rawPixels(data []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	rgba := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(rgba, rgba.Bounds(), img, img.Bounds().Min, draw.Src)
	const formatRGBA8888, colourSpaceSRGB = 1, 1
	var b []byte
	for _, n := range []int{rgba.Rect.Dx(), rgba.Rect.Dy(), formatRGBA8888, colourSpaceSRGB} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return append(b, rgba.Pix...), nil
}

// uiautomator is "uiautomator dump"; its other verbs need compiled tests.
func (s *System) uiautomator(ctx context.Context, c *shell.Call) int {
	if len(c.Args) < 2 || c.Args[1] != "dump" {
		return c.Errorf("unasked's embedded device models only: uiautomator dump [--compressed] [FILE]")
	}
	name, compressed := "/sdcard/window_dump.xml", false
	for _, a := range c.Args[2:] {
		switch {
		case a == "--compressed":
			compressed = true
		case a == "--windows" || a == "--verbose":
			return c.Errorf("unasked's embedded device does not model dump %s", a)
		default:
			name = a
		}
	}
	root, err := s.tree(ctx)
	if err != nil || root == nil {
		if err != nil {
			s.log.write(systemServerPID, 1000, 'E', "UiAutomation", err.Error())
		}
		fmt.Fprint(c.Stderr, "ERROR: null root node returned by UiTestAutomationBridge.\n")
		return 0
	}
	var b bytes.Buffer
	_ = writeHierarchy(&b, root, compressed) // a buffer takes everything
	if name == "/dev/tty" || name == "/dev/stdout" || name == "/proc/self/fd/1" {
		c.Printf("%sUI hierchary dumped to: %s\n", b.Bytes(), name)
		return 0
	}
	if err := c.FS.WriteFile(c.Path(name), b.Bytes(), 0o660); err != nil {
		fmt.Fprintf(c.Stderr, "ERROR: could not write %s: %v\n", name, err)
		return 1
	}
	c.Printf("UI hierchary dumped to: %s\n", name)
	return 0
}

// windowCommand is "wm", or "cmd window".
func (s *System) windowCommand(_ context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	verb, _ := args.next()
	if opt, ok := args.option(); ok && opt == "-d" {
		args.next()
	}
	v, set := args.next()
	size, dpi := s.display.overrides()
	switch {
	case verb == "size" && !set:
		c.Printf("Physical size: %dx%d\n", screenSize.X, screenSize.Y)
		if size != (image.Point{}) {
			c.Printf("Override size: %dx%d\n", size.X, size.Y)
		}
	case verb == "size" && v == "reset":
		s.display.setSize(image.Point{})
	case verb == "size":
		w, h, _ := strings.Cut(v, "x")
		x, err1 := strconv.Atoi(w)
		y, err2 := strconv.Atoi(h)
		if err1 != nil || err2 != nil || x < 200 || y < 200 || x > 8192 || y > 8192 {
			fmt.Fprintf(c.Stderr, "Error: bad size %s\n", v)
			return 255
		}
		s.display.setSize(image.Pt(x, y))
	case verb == "density" && !set:
		c.Printf("Physical density: %d\n", screenDPI)
		if dpi != 0 {
			c.Printf("Override density: %d\n", dpi)
		}
	case verb == "density" && v == "reset":
		s.display.setDPI(0)
	case verb == "density":
		n, err := strconv.Atoi(v)
		if err != nil || n < 72 || n > 1280 {
			fmt.Fprint(c.Stderr, "Error: density must be >= 72\n")
			return 255
		}
		s.display.setDPI(n)
	case verb == "dismiss-keyguard":
	case verb == "":
		c.Printf("Window manager (window) commands that unasked's embedded device has:\n  size [reset|WxH]\n  density [reset|DENSITY]\n  dismiss-keyguard\n")
	default:
		return unknown(c, verb)
	}
	return 0
}
