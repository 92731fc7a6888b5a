// Package corpus makes bodies as they are recorded from apps, to measure and to test
// with: the benchmarks of recognition and those against other programs search the same.
package corpus

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// BodySize is about how long each body of the corpus is, in bytes.
const BodySize = 20 << 10

// Corpus makes bodies as they are recorded from apps: batches of events in JSON full
// of identifiers, forms, pages and scripts, pictures in base64, JSON in gzip in
// base64. They are text without line breaks, so that a program that searches lines
// reads one body as one line. The same seed gives the same bodies.
type Corpus struct {
	r      *rand.Rand
	source *rand.ChaCha8
}

// New begins a corpus; another seed gives other identifiers and words.
func New(seed byte) *Corpus {
	return &Corpus{rand.New(rand.NewPCG(uint64(seed), 20)), rand.NewChaCha8([32]byte{seed})} //nolint:gosec // repeatable, not secret
}

// Bodies makes so many bytes of them, at least.
func (c *Corpus) Bodies(size int) [][]byte {
	var list [][]byte
	for have := 0; have < size; {
		b := c.body(len(list))
		list = append(list, b)
		have += len(b) + 1
	}
	return list
}

// body makes one; i decides its form.
func (c *Corpus) body(i int) []byte {
	switch i % 20 {
	default: // 9 of 20: events
		return c.Events(BodySize)
	case 1, 7, 13: // a form with a payload
		return []byte("v=3&sdk=android-7.2.1&payload=" + url.QueryEscape(base64.StdEncoding.EncodeToString(c.Events(BodySize/2))) + "&sig=" + fmt.Sprintf("%x", c.random(32)))
	case 2, 6, 10, 14, 18: // what a service answers
		return c.page(BodySize)
	case 4: // compressed and encoded
		return fmt.Appendf(nil, `{"batch":%q,"compression":"gzip","n":7}`, base64.StdEncoding.EncodeToString(zipped(c.Events(3*BodySize))))
	case 16: // a picture
		return fmt.Appendf(nil, `{"thumbnail":"data:image/webp;base64,%s","w":320}`, base64.StdEncoding.EncodeToString(c.random(BodySize*3/4)))
	}
}

func (c *Corpus) random(n int) []byte {
	b := make([]byte, n)
	_, _ = c.source.Read(b) // it never fails
	return b
}

var words = strings.Fields(`account action activity ad after app array audience banner before body border button cache campaign
	category change channel click client close color config connect consent container content context count create credit current
	data date default device display document duration element enable end error event experiment false feature field file filter
	first flag font form format frame from function group handler header height hidden home icon image index info init inner input
	install item label language last launch layout left length level link list load locale log main margin media menu message method
	mode model module name native network new next node none null number object offset open option order page parent path pause
	platform play plugin position post price product profile progress property provider push query queue range ready record region
	release remove render reply request reset resource response result retry return right root route row save screen script scroll
	search section segment select sequence server service session set share show size source start state status step store stream
	string style submit success support system tab table tag target task template text theme time title toggle token top total track
	transform true type undefined unit update upload url user value variant version video view visible volume width window zone`)

func (c *Corpus) word() string { return words[c.r.IntN(len(words))] }

func (c *Corpus) uuid() string {
	b := c.random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4 (RFC 9562, section 5.4)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Events is a batch of events in JSON, of so many bytes about.
func (c *Corpus) Events(size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"app":"com.example.%s","sdk":"7.2.1","session":%q,"device":{"model":"Pixel 8","os":"14","locale":"en_GB","mem":%d},"events":[`, c.word(), c.uuid(), c.r.IntN(8<<30))
	for n := 0; b.Len() < size; n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%q,"name":"%s_%s","ts":%d,"seq":%d,"props":{"screen":"%s/%s","%s":%.4f,"%s":%t,"url":"https://%s.example/%s/%x?ref=%s&t=%d","text":"%s %s %s %s %s"}}`,
			c.uuid(), c.word(), c.word(), 1_700_000_000_000+c.r.Int64N(1e10), n, c.word(), c.word(), c.word(), c.r.Float64()*100, c.word(), n%2 == 0,
			c.word(), c.word(), c.random(6), c.word(), c.r.IntN(1e9), c.word(), c.word(), c.word(), c.word(), c.word())
	}
	b.WriteString("]}")
	return b.Bytes()
}

// page is HTML with a script in it.
func (c *Corpus) page(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`<!doctype html><html lang="en"><head><title>` + c.word() + `</title><script>`)
	for b.Len() < size/2 {
		fmt.Fprintf(&b, `function %s%d(%s,e){var t=%s.%s("%s-%s")||{};return e&&(t.%s=%d),"%s"===t.%s?t.%s(%s):null}`,
			c.word(), c.r.IntN(100), c.word(), c.word(), c.word(), c.word(), c.word(), c.word(), c.r.IntN(1e6), c.word(), c.word(), c.word(), c.word())
	}
	b.WriteString(`</script></head><body>`)
	for b.Len() < size {
		fmt.Fprintf(&b, `<div class="%s %s-%s" id="%s%d"><a href="/%s/%s?%s=%d">%s %s %s</a><p>%s %s %s %s %s %s.</p></div>`,
			c.word(), c.word(), c.word(), c.word(), c.r.IntN(1000), c.word(), c.word(), c.word(), c.r.IntN(1000),
			c.word(), c.word(), c.word(), c.word(), c.word(), c.word(), c.word(), c.word(), c.word())
	}
	b.WriteString(`</body></html>`)
	return b.Bytes()
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}
