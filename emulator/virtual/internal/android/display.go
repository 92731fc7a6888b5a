package android

import (
	"image"
	"sync"
)

// display is the screen: its physical size and density, and what overrides them.
type display struct {
	mu   sync.Mutex
	size image.Point // the override; zero for none
	dpi  int
}

func newDisplay() *display { return &display{} }

// current is the size in pixels and the density in dots an inch.
func (d *display) current() (image.Point, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	size, dpi := screenSize, screenDPI
	if d.size != (image.Point{}) {
		size = d.size
	}
	if d.dpi != 0 {
		dpi = d.dpi
	}
	return size, dpi
}

// overrides are what "wm" set, zero for nothing.
func (d *display) overrides() (image.Point, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.size, d.dpi
}

func (d *display) setSize(p image.Point) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = p
}

func (d *display) setDPI(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dpi = n
}
