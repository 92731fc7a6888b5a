package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// format is what a file holds.
type format int

const (
	archive format = iota // HAR
	packets               // pcap or pcapng
)

// magics are the first bytes of packet captures: pcapng's section header block, and
// pcap's header in both byte orders, with micro- and with nanoseconds.
var magics = [][]byte{
	{0x0a, 0x0d, 0x0d, 0x0a},
	{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1},
}

// detect tells formats by their first bytes, whatever a file's name is, and gives the
// whole of it back.
func detect(in io.Reader) (format, io.Reader, error) {
	b := bufio.NewReaderSize(in, 4<<10)
	head, err := b.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	if slices.ContainsFunc(magics, func(m []byte) bool { return bytes.HasPrefix(head, m) }) {
		return packets, b, nil
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		text = bytes.TrimLeft(head[2:], "\x00 \t\r\n") // UTF-16
	}
	switch {
	case len(head) == 0:
		return 0, nil, errors.New("it is empty; expected a HAR, pcapng or pcap file")
	case len(text) == 0 && len(head) == 512, bytes.HasPrefix(text, []byte("{")):
		return archive, b, nil
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return 0, nil, errors.New("it is a ZIP archive; unpack it and name the .har file in it")
	case bytes.HasPrefix(text, []byte("\x1f\x8b")):
		return 0, nil, errors.New("it is compressed with gzip; unpack it first (gzip -dc FILE | unasked scan -)")
	}
	return 0, nil, fmt.Errorf("it begins with %q: neither a HAR (JSON that begins with a brace) nor a pcapng or pcap capture", text[:min(len(text), 16)])
}
