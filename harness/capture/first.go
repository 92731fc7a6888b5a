package capture

// maxMethod is the longest that a request's method is looked for.
const maxMethod = 32

// speaksHTTP looks at what the client sent, and says whether it begins a request:
// a method, a space, and a target's first character; or HTTP/2's preface.
func (s *socket) speaksHTTP() bool {
	for n := 1; n <= maxMethod; n++ {
		b, err := s.Peek(n)
		if err != nil {
			return false
		}
		switch c := b[n-1]; {
		case c == ' ' && n > 3:
			b, err := s.Peek(n + 1)
			if err != nil {
				return false
			}
			return b[n] == '/' || b[n] == '*' || b[n] == 'h' || b[n] == 'H' || string(b[:n]) == "CONNECT "
		case c != '-' && c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'):
			return false
		}
	}
	return false
}

// speaksTLS says whether the client's first bytes are a TLS handshake record.
func (s *socket) speaksTLS() bool {
	b, err := s.Peek(1)
	if err != nil || b[0] != 0x16 {
		return false
	}
	b, err = s.Peek(6)
	return err == nil && b[1] == 3 && b[2] <= 4 && b[5] == 1 // ClientHello
}

// preface is what HTTP/2 begins with (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// speaksHTTP2 says whether bytes begin HTTP/2's preface, as far as they go.
func speaksHTTP2(b []byte) bool {
	return len(b) >= 4 && string(b[:min(len(b), len(preface))]) == preface[:min(len(b), len(preface))]
}
