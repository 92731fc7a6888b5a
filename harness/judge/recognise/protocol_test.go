package recognise

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"slices"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// frame is a frame of HTTP/2 (RFC 9113, section 4.1) of no stream.
func frame(kind byte, payload string) string {
	return string(append([]byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, 0, 0, 0, 0, 0}, payload...))
}

// What stands in the middle of a protocol that is not known is found there: in control
// frames of HTTP/2 and in a message of MQTT, in the clear, encoded and compressed.
func TestUnknownProtocols(t *testing.T) {
	n, o := tools(t)
	inHTTP2 := func(kind byte, before, payload string) string {
		return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, "\x00\x03\x00\x00\x00\x64") + frame(kind, before+payload) + frame(8, "\x00\x00\xff\xff")
	}
	inMQTT := func(payload string) string {
		message := "\x00\x08app/data" + payload
		return "\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06client\x30" + string(binary.AppendUvarint(nil, uint64(len(message)))) + message
	}
	mail := person.Value(canary.Email)
	id, _ := hex.DecodeString(person.Value(canary.SSAID))
	more := `{"event":"open","m":"` + mail + `"}`
	sum := sha256.Sum256([]byte(mail))
	for name, c := range map[string]struct {
		data  string
		kind  canary.Kind
		chain []string
	}{
		"a ping":              {inHTTP2(6, "", string(id)), canary.SSAID, []string{"raw"}},
		"a farewell":          {inHTTP2(7, "\x00\x00\x00\x01\x00\x00\x00\x00", mail), canary.Email, nil},
		"a farewell, base64":  {inHTTP2(7, "\x00\x00\x00\x01\x00\x00\x00\x00", b64(more)), canary.Email, []string{"base64"}},
		"an unknown frame":    {inHTTP2(0x42, "", compressed("gzip", more)), canary.Email, []string{"gzip"}},
		"its digest":          {inHTTP2(0x42, "", string(sum[:])), canary.Email, []string{"sha256", "raw"}},
		"MQTT":                {inMQTT(more), canary.Email, nil},
		"MQTT, gzip":          {inMQTT(compressed("gzip", more)), canary.Email, []string{"gzip"}},
		"MQTT, zlib":          {inMQTT(compressed("deflate", more)), canary.Email, []string{"zlib"}},
		"MQTT, zstd":          {inMQTT(compressed("zstd", more)), canary.Email, []string{"zstd"}},
		"MQTT, base64 gzip":   {inMQTT(b64(compressed("gzip", more))), canary.Email, []string{"base64", "gzip"}},
		"MQTT, escaped twice": {inMQTT("m=" + url.QueryEscape(url.QueryEscape(mail)) + "&a=1"), canary.Email, []string{"url", "url"}},
	} {
		hits := hitsIn(n, o, unwrap.Message{Body: []byte(c.data), Response: true})
		if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Kind == string(c.kind) && slices.Equal(h.Chain, c.chain) }) {
			t.Errorf("%s: %+v, want %v", name, hits, c.chain)
		}
		// A stream that is broken off after its beginning is no reason to say more than that.
		if i := bytes.Index([]byte(c.data), []byte("\x1f\x8b\x08")); i > 0 {
			report := o.Walk(unwrap.Message{Body: []byte(c.data[:i+12] + "\x00\x01\x02\x03\x04\x05\x06\x07\x08"), Response: true}, func(*unwrap.Part) {})
			if len(report.Cuts) > 0 || report.Binary == 0 {
				t.Errorf("%s, broken: %+v", name, report)
			}
		}
	}
}
