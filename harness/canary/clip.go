package canary

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/chacha20"
)

// clipSize is the size of a clip's media data in bytes: a few seconds of a small
// recording, and enough to be uploaded in pieces.
const clipSize = 384 << 10

// Clip is what a device's camera is given to see: an MP4 file (ISO/IEC 14496-12)
// whose media data no other audit has, so that any stretch of it that leaves the
// device is recognised. It holds no picture that a player could show. The same
// seed and label give the same clip.
func Clip(seed []byte, label string) []byte {
	// The key is derived, so that the clip gives nothing away of the seed.
	key, err := hkdf.Key(sha256.New, seed, nil, "unasked clip "+label, chacha20.KeySize)
	if err != nil {
		panic(err) // only for a length that the hash can't give
	}
	stream, err := chacha20.NewUnauthenticatedCipher(key, make([]byte, chacha20.NonceSize))
	if err != nil {
		panic(err) // only for a key of a wrong size
	}
	media := make([]byte, clipSize)
	stream.XORKeyStream(media, media)

	clip := box("ftyp", []byte("isom\x00\x00\x02\x00isomiso2mp41"))
	return append(clip, box("mdat", media)...)
}

// box frames content as ISO/IEC 14496-12, section 4.2 says.
func box(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))
	b = append(b, kind...)
	return append(b, content...)
}
