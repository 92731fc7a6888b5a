package specimen

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
)

// Screen draws a screen of a phone: a list of rows, and a dialog with so many buttons over it.
func Screen(accent color.Color, rows, buttons int) []byte {
	const w, h = 412, 892 // as laid out; drawn at half of it, for the tests' time
	m := image.NewRGBA(image.Rect(0, 0, w/2, h/2))
	fill := func(x0, y0, x1, y1 int, c color.Color) {
		draw.Draw(m, image.Rect(x0/2, y0/2, x1/2, y1/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(0, 0, w, h, color.RGBA{0xf4, 0xf4, 0xf6, 0xff})
	fill(0, 0, w, 96, accent)
	fill(24, 52, 180, 72, color.White)
	for i := range rows {
		y := 120 + i*150
		fill(16, y, w-16, y+134, color.White)
		fill(28, y+12, 138, y+122, color.RGBA{0xd8, 0xdc, 0xe4, 0xff})
		fill(154, y+24, 340, y+40, color.RGBA{0x30, 0x34, 0x3c, 0xff})
		fill(154, y+54, 380, y+66, color.RGBA{0xa8, 0xac, 0xb4, 0xff})
		fill(154, y+76, 300, y+88, color.RGBA{0xa8, 0xac, 0xb4, 0xff})
	}
	if buttons > 0 {
		draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{0, 0, 0, 0x70}), image.Point{}, draw.Over)
		fill(32, 300, w-32, 620, color.White)
		fill(56, 330, 300, 350, color.RGBA{0x20, 0x24, 0x2c, 0xff})
		for i := range 5 {
			fill(56, 376+i*24, w-70-i*13%60, 388+i*24, color.RGBA{0xb0, 0xb4, 0xbc, 0xff})
		}
		for i := range buttons {
			fill(56, 520+i*46-46*(buttons-2), w-56, 558+i*46-46*(buttons-2), accent)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // encoding to memory can't fail
	}
	return b.Bytes()
}
