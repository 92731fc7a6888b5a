package android

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"unicode"
)

// homePackage is the package of the home screen.
const homePackage = "org.unasked.home"

// icon is one app on the home screen.
type icon struct {
	Package, Class, Label string
	Bounds                image.Rectangle
}

// icons are the apps that can be launched, four in a row.
func (s *System) icons() []icon {
	size, dpi := s.display.current()
	dp := func(n int) int { return n * dpi / 160 }
	const columns = 4
	cell := image.Pt(size.X/columns, dp(112))
	top := dp(160)
	var list []icon
	for _, a := range s.registry.all() {
		c, ok := a.launcher()
		if !ok || a.Kept || a.Disabled {
			continue
		}
		i := len(list)
		at := image.Pt(i%columns*cell.X, top+i/columns*cell.Y)
		if at.Y+cell.Y > size.Y {
			break
		}
		list = append(list, icon{a.Name, c.Name, a.Label, image.Rectangle{Min: at, Max: at.Add(cell)}})
	}
	return list
}

// homeTree is what is on the home screen.
func (s *System) homeTree() *Node {
	size, dpi := s.display.current()
	screen := image.Rectangle{Max: size}
	title := image.Rect(0, 48*dpi/160, size.X, 120*dpi/160)
	grid := &Node{Class: "android.widget.GridView", Package: homePackage, ResourceID: homePackage + ":id/apps", Bounds: screen, Enabled: true}
	for _, i := range s.icons() {
		grid.Children = append(grid.Children, &Node{Class: "android.widget.TextView", Package: homePackage, ResourceID: homePackage + ":id/icon",
			Text: i.Label, Desc: i.Label, Bounds: i.Bounds, Clickable: true, Focusable: true, Enabled: true})
	}
	return &Node{Class: "android.widget.FrameLayout", Package: homePackage, Bounds: screen, Enabled: true, Children: []*Node{
		{Class: "android.widget.TextView", Package: homePackage, ResourceID: homePackage + ":id/title", Text: homeTitle, Bounds: title, Enabled: true},
		grid,
	}}
}

// homeTitle says on every picture of the home screen what this is.
const homeTitle = "UNASKED  SIMULATED DEVICE"

// homePicture is the home screen as a picture.
func (s *System) homePicture() *image.RGBA {
	size, dpi := s.display.current()
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		c := color.RGBA{uint8(24 + 26*y/size.Y), uint8(32 + 30*y/size.Y), uint8(48 + 50*y/size.Y), 255}
		draw.Draw(img, image.Rect(0, y, size.X, y+1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	dot := max(dpi/96, 1)
	white := color.RGBA{235, 238, 245, 255}
	drawCentred(img, homeTitle, size.X/2, 72*dpi/160, dot, white)
	for _, i := range s.icons() {
		h := fnv.New32a()
		_, _ = h.Write([]byte(i.Package)) // a hash never fails to take bytes
		n := h.Sum32()
		tile := color.RGBA{uint8(80 + n%120), uint8(80 + n>>8%120), uint8(80 + n>>16%120), 255}
		side := 56 * dpi / 160
		left := (i.Bounds.Min.X + i.Bounds.Max.X - side) / 2
		top := i.Bounds.Min.Y + 12*dpi/160
		draw.Draw(img, image.Rect(left, top, left+side, top+side), image.NewUniform(tile), image.Point{}, draw.Src)
		for _, r := range i.Label {
			drawCentred(img, string(r), left+side/2, top+side/2-3*2*dot, 2*dot, white)
			break
		}
		drawCentred(img, clip(i.Label, 12), (i.Bounds.Min.X+i.Bounds.Max.X)/2, top+side+10*dpi/160, max(dot*2/3, 1), white)
	}
	return img
}

// encodePNG writes a picture as PNG, quickly rather than small.
func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img)
	return b.Bytes(), err
}

func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes-1]) + "."
	}
	return s
}

// drawCentred draws a line of text around x, its top at y, dot pixels a point.
func drawCentred(img *image.RGBA, s string, x, y, dot int, c color.Color) {
	text := []rune(s)
	left := x - len(text)*6*dot/2
	for i, r := range text {
		rows, ok := glyphs[unicode.ToUpper(r)]
		if !ok {
			rows = glyphs['?']
		}
		for row, bits := range rows {
			for col := range 5 {
				if bits>>(4-col)&1 == 1 {
					px, py := left+(i*6+col)*dot, y+row*dot
					draw.Draw(img, image.Rect(px, py, px+dot, py+dot), image.NewUniform(c), image.Point{}, draw.Src)
				}
			}
		}
	}
}

// glyphs are letters of five by seven points, a row a number.
var glyphs = map[rune][7]uint8{
	' ': {}, '.': {0, 0, 0, 0, 0, 12, 12}, '-': {0, 0, 0, 31, 0, 0, 0}, '_': {0, 0, 0, 0, 0, 0, 31},
	'?': {14, 17, 1, 2, 4, 0, 4}, '!': {4, 4, 4, 4, 4, 0, 4}, ':': {0, 12, 12, 0, 12, 12, 0},
	'0': {14, 17, 19, 21, 25, 17, 14}, '1': {4, 12, 4, 4, 4, 4, 14}, '2': {14, 17, 1, 2, 4, 8, 31},
	'3': {31, 2, 4, 2, 1, 17, 14}, '4': {2, 6, 10, 18, 31, 2, 2}, '5': {31, 16, 30, 1, 1, 17, 14},
	'6': {6, 8, 16, 30, 17, 17, 14}, '7': {31, 1, 2, 4, 8, 8, 8}, '8': {14, 17, 17, 14, 17, 17, 14},
	'9': {14, 17, 17, 15, 1, 2, 12}, 'A': {14, 17, 17, 31, 17, 17, 17}, 'B': {30, 17, 17, 30, 17, 17, 30},
	'C': {14, 17, 16, 16, 16, 17, 14}, 'D': {28, 18, 17, 17, 17, 18, 28}, 'E': {31, 16, 16, 30, 16, 16, 31},
	'F': {31, 16, 16, 30, 16, 16, 16}, 'G': {14, 17, 16, 23, 17, 17, 15}, 'H': {17, 17, 17, 31, 17, 17, 17},
	'I': {14, 4, 4, 4, 4, 4, 14}, 'J': {7, 2, 2, 2, 2, 18, 12}, 'K': {17, 18, 20, 24, 20, 18, 17},
	'L': {16, 16, 16, 16, 16, 16, 31}, 'M': {17, 27, 21, 21, 17, 17, 17}, 'N': {17, 17, 25, 21, 19, 17, 17},
	'O': {14, 17, 17, 17, 17, 17, 14}, 'P': {30, 17, 17, 30, 16, 16, 16}, 'Q': {14, 17, 17, 17, 21, 18, 13},
	'R': {30, 17, 17, 30, 20, 18, 17}, 'S': {15, 16, 16, 14, 1, 1, 30}, 'T': {31, 4, 4, 4, 4, 4, 4},
	'U': {17, 17, 17, 17, 17, 17, 14}, 'V': {17, 17, 17, 17, 17, 10, 4}, 'W': {17, 17, 17, 21, 21, 21, 10},
	'X': {17, 17, 10, 4, 10, 17, 17}, 'Y': {17, 17, 17, 10, 4, 4, 4}, 'Z': {31, 1, 2, 4, 8, 16, 31},
}
