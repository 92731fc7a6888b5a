package coding

import "bytes"

// Magic names what bytes begin like: a compression that can be opened ("gzip",
// "zlib", "zstd", "lz4", "snappy"), a picture or film ("media"), or another kind of
// file ("file"). It is "" for none. Two bytes that zlib begins with are a weak sign.
func Magic(b []byte) string {
	if len(b) < 8 {
		return ""
	}
	has := func(s string) bool { return string(b[:min(len(s), len(b))]) == s }
	switch b[0] {
	case 0x1f:
		if has("\x1f\x8b\x08") {
			return "gzip"
		}
	case 0x28:
		if has("\x28\xb5\x2f\xfd") {
			return "zstd"
		}
	case 0x04:
		if has("\x04\x22\x4d\x18") {
			return "lz4"
		}
	case 0xff:
		if has("\xff\x06\x00\x00sNaP") {
			return "snappy"
		}
		if has("\xff\xd8\xff") {
			return "media"
		}
	case 'P':
		if has("PK\x03\x04") {
			return "file"
		}
	case '%':
		if has("%PDF-") {
			return "file"
		}
	case 'w':
		if has("wOFF") || has("wOF2") {
			return "file"
		}
	case 0x89:
		if has("\x89PNG\r\n") {
			return "media"
		}
	case 'G':
		if has("GIF8") {
			return "media"
		}
	case 'R':
		if has("RIFF") {
			return "media"
		}
	case 0x1a:
		if has("\x1a\x45\xdf\xa3") {
			return "media"
		}
	case 'O', 'I', 'f':
		if has("OggS") || has("ID3") || has("fLaC") {
			return "media"
		}
	}
	if b[0]&0x0f == 8 && b[0] < 0x80 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0 {
		return "zlib"
	}
	if bytes.Equal(b[4:8], []byte("ftyp")) {
		return "media"
	}
	return ""
}
