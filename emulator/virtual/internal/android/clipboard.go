package android

import "sync"

// clipboard is what was copied last.
type clipboard struct {
	mu   sync.Mutex
	text string
}

func (c *clipboard) set(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = text
}

func (c *clipboard) get() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text
}

// phone is what a SIM card and a modem would say.
type phone struct {
	mu           sync.Mutex
	imei, number string
}

// newPhone gives the device an IMEI of the range that is kept for tests.
func newPhone() *phone { return &phone{imei: "004999010640000"} }

func (p *phone) get() (imei, number string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.imei, p.number
}

func (p *phone) setIMEI(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.imei = s
}

func (p *phone) setNumber(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number = s
}
