package android

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"sync"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// camera is what the camera sees: a file that somebody chose, or a built-in clip.
type camera struct {
	mu   sync.Mutex
	feed string // device path; "" for the built-in clip

	once sync.Once
	clip []byte
}

func (c *camera) set(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.feed = path
}

func (c *camera) path() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.feed
}

// record opens what the camera sees now.
func (c *camera) record(files *rootfs.View) (io.ReadCloser, error) {
	if p := c.path(); p != "" {
		return files.Open(p)
	}
	c.once.Do(func() { c.clip = motionJPEG(320, 240, 10, 10) })
	return io.NopCloser(bytes.NewReader(c.clip)), nil
}

// motionJPEG makes an AVI file (Microsoft's RIFF format, codec MJPG) of a
// square that crosses a picture: width and height in pixels, frames in all,
// rate in frames a second.
func motionJPEG(width, height, frames, rate int) []byte {
	le := binary.LittleEndian
	var movi, index bytes.Buffer
	movi.WriteString("movi")
	for i := range frames {
		img := image.NewRGBA(image.Rect(0, 0, width, height))
		side := height / 4
		left := (width - side) * i / max(frames-1, 1)
		for y := range height {
			for x := range width {
				c := color.RGBA{uint8(60 + 100*x/width), uint8(60 + 100*y/height), 120, 255}
				if x >= left && x < left+side && y >= height/2-side/2 && y < height/2+side/2 {
					c = color.RGBA{240, 200, 40, 255}
				}
				img.SetRGBA(x, y, c)
			}
		}
		var frame bytes.Buffer
		_ = jpeg.Encode(&frame, img, &jpeg.Options{Quality: 60}) // a buffer takes everything
		if frame.Len()%2 == 1 {
			frame.WriteByte(0)
		}
		index.WriteString("00dc")
		for _, v := range []uint32{0x10, uint32(movi.Len()), uint32(frame.Len())} {
			index.Write(le.AppendUint32(nil, v))
		}
		movi.Write(riffChunk("00dc", frame.Bytes()))
	}
	numbers := func(v ...uint32) []byte {
		var b []byte
		for _, n := range v {
			b = le.AppendUint32(b, n)
		}
		return b
	}
	w, h := uint32(width), uint32(height)
	avih := numbers(uint32(1_000_000/rate), 0, 0, 0x10, uint32(frames), 0, 1, 0, w, h, 0, 0, 0, 0)
	strh := append([]byte("vidsMJPG"), numbers(0, 0, 0, 1, uint32(rate), 0, uint32(frames), 0, 0xffffffff, 0, 0, h<<16|w)...)
	strf := append(numbers(40, w, h, 24<<16|1), append([]byte("MJPG"), numbers(w*h*3, 0, 0, 0, 0)...)...)
	strl := append([]byte("strl"), append(riffChunk("strh", strh), riffChunk("strf", strf)...)...)
	hdrl := append([]byte("hdrl"), append(riffChunk("avih", avih), riffChunk("LIST", strl)...)...)
	body := []byte("AVI ")
	body = append(body, riffChunk("LIST", hdrl)...)
	body = append(body, riffChunk("LIST", movi.Bytes())...)
	body = append(body, riffChunk("idx1", index.Bytes())...)
	return riffChunk("RIFF", body)
}

func riffChunk(id string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	return append(b, data...)
}
