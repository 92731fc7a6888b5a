package apkfile

import (
	"bytes"
	"encoding/binary"
	"io"
)

// The APK Signing Block, in front of the central directory, as documented at
// source.android.com ("APK Signature Scheme v2", "v3").
const (
	blockV2 = 0x7109871a
	blockV3 = 0xf05368c0
	// blockV31 is a v3 signature for newer releases, with a rotated key ("APK Signature Scheme v3.1").
	blockV31 = 0x1b93ad61

	blockFooter  = 24       // its size again, and the magic
	maxBlock     = 64 << 20 // bytes; Play's frosting and dependency lists stay far below
	signingBlock = "signing block"
)

var blockMagic = []byte("APK Sig Block 42")

// block is a signing block.
type block struct {
	start int64 // offset in the file
	pairs []blockPair
}

type blockPair struct {
	id    uint32
	value view
}

func (b *block) value(id uint32) (view, bool) {
	for _, p := range b.pairs {
		if p.id == id {
			return p.value, true
		}
	}
	return view{}, false
}

// readSigningBlock returns nil where there is no signing block. Offsets in its errors count from the block's beginning.
func readSigningBlock(r io.ReaderAt, l layout) (*block, error) {
	if l.directory < blockFooter+8 {
		return nil, nil
	}
	footer := make([]byte, blockFooter)
	if err := readAt(r, footer, l.directory-blockFooter); err != nil {
		return nil, err
	}
	if !bytes.Equal(footer[8:], blockMagic) {
		return nil, nil
	}
	size := binary.LittleEndian.Uint64(footer) // of all but the first size field
	if size < blockFooter || size > uint64(l.directory-8) {
		return nil, fault(ErrBadSignature, signingBlock, -1, "it is said to be %d bytes long, in front of it lie %d", size, l.directory-8)
	}
	if size > maxBlock {
		return nil, fault(ErrTooLarge, signingBlock, -1, "%d bytes, the limit is %d", size, maxBlock)
	}
	b := make([]byte, size+8)
	start := l.directory - int64(len(b))
	if err := readAt(r, b, start); err != nil {
		return nil, err
	}
	pairs, err := parseSigningBlock(b)
	if err != nil {
		return nil, err
	}
	return &block{start: start, pairs: pairs}, nil
}

// parseSigningBlock splits a whole block, both size fields and the magic included.
func parseSigningBlock(b []byte) ([]blockPair, error) {
	v := view{b: b, part: signingBlock, kind: ErrBadSignature}
	if err := v.need(0, 8+blockFooter); err != nil {
		return nil, err
	}
	first, _ := v.u64(0)
	if first != uint64(len(b)-8) {
		return nil, v.fail(0, "its two size fields differ: %d and %d", first, len(b)-8)
	}
	pairs := []blockPair{}
	for off, end := 8, len(b)-blockFooter; off < end; {
		n, err := v.u64(off)
		if err != nil {
			return nil, err
		}
		if n < 4 || n > uint64(end-off-8) {
			return nil, v.fail(off, "a pair of %d bytes, %d bytes are left", n, end-off-8)
		}
		id, _ := v.u32(off + 8)
		value, err := v.slice(off+12, int(n)-4)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, blockPair{id: id, value: value})
		off += 8 + int(n)
	}
	return pairs, nil
}

// signer is one signer of a v2 or v3 block.
type signer struct {
	at         view // for errors
	signed     []byte
	digests    []algorithmValue
	certs      [][]byte
	minSDK     uint32
	maxSDK     uint32
	signatures []algorithmValue
	publicKey  []byte
	needsV3    bool   // a v2 signer says that a v3 signature was there, too
	lineage    view   // proof of rotation of a v3 signer; empty where there is none
	rotatedAt  uint32 // a v3 signer says that a v3.1 signature is there for releases from this API level on
}

type algorithmValue struct {
	algorithm uint32
	value     []byte
}

// maxSigners is Android's own limit.
const maxSigners = 10

// parseSigners reads the value of a v2 or v3 pair.
func parseSigners(v view, scheme int) ([]signer, error) {
	list, err := v.prefixed()
	if err != nil {
		return nil, err
	}
	if v.len() != 0 {
		return nil, v.fail(0, "%d bytes follow the signers", v.len())
	}
	var out []signer
	for list.len() > 0 {
		one, err := list.prefixed()
		if err != nil {
			return nil, err
		}
		s, err := parseSigner(one, scheme)
		if err != nil {
			return nil, err
		}
		if out = append(out, s); len(out) > maxSigners {
			return nil, one.fail(0, "more than %d signers", maxSigners)
		}
	}
	if len(out) == 0 {
		return nil, v.fail(0, "it names no signer")
	}
	return out, nil
}

func parseSigner(v view, scheme int) (signer, error) {
	s := signer{at: v, maxSDK: 0x7fffffff}
	signed, err := v.prefixed()
	if err != nil {
		return s, err
	}
	s.signed = signed.b
	if err := s.parseSigned(signed, scheme); err != nil {
		return s, err
	}
	if scheme >= scheme3 {
		low, _ := v.u32(0)
		high, err := v.u32(4)
		if err != nil {
			return s, err
		}
		if low != s.minSDK || high != s.maxSDK {
			return s, v.fail(0, "the range of API levels outside the signed data, %d to %d, differs from that within, %d to %d", low, high, s.minSDK, s.maxSDK)
		}
		if v, err = v.from(8); err != nil {
			return s, err
		}
	}
	signatures, err := v.prefixed()
	if err != nil {
		return s, err
	}
	if s.signatures, err = algorithmValues(signatures); err != nil {
		return s, err
	}
	key, err := v.prefixed()
	s.publicKey = key.b
	return s, err
}

func (s *signer) parseSigned(v view, scheme int) error {
	digests, err := v.prefixed()
	if err != nil {
		return err
	}
	if s.digests, err = algorithmValues(digests); err != nil {
		return err
	}
	certs, err := v.prefixed()
	if err != nil {
		return err
	}
	for certs.len() > 0 {
		c, err := certs.prefixed()
		if err != nil {
			return err
		}
		s.certs = append(s.certs, c.b)
	}
	if scheme >= scheme3 {
		s.minSDK, _ = v.u32(0)
		if s.maxSDK, err = v.u32(4); err != nil {
			return err
		}
		if v, err = v.from(8); err != nil {
			return err
		}
	}
	return s.parseAttributes(v, scheme)
}

// The schemes by number; 3.1 is written as 31.
const (
	scheme2  = 2
	scheme3  = 3
	scheme31 = 31
)

// Attributes of signers.
const (
	// attrStripping is the "stripping protection" of a v2 signer: its value is the newer scheme that signed as well.
	attrStripping = 0xbeeff00d
	attrLineage   = 0x3ba06f8c // of a v3 signer: the keys that it had before
	attrRotatedAt = 0x559f8b02 // of a v3 signer: the API level from which v3.1 counts
)

// parseAttributes looks for stripping protection and for the proof of rotation.
func (s *signer) parseAttributes(v view, scheme int) error {
	attrs, err := v.prefixed()
	if err != nil {
		return err
	}
	for attrs.len() > 0 {
		a, err := attrs.prefixed()
		if err != nil {
			return err
		}
		id, err := a.u32(0)
		if err != nil {
			return err
		}
		if scheme == 2 && id == attrStripping {
			newer, err := a.u32(4)
			if err != nil {
				return err
			}
			s.needsV3 = newer == 3
		}
		if scheme >= scheme3 && id == attrLineage {
			if s.lineage, err = a.from(4); err != nil {
				return err
			}
		}
		if scheme == scheme3 && id == attrRotatedAt {
			if s.rotatedAt, err = a.u32(4); err != nil {
				return err
			}
		}
	}
	return nil
}

// algorithmValues reads a sequence of (algorithm, value) pairs.
func algorithmValues(v view) ([]algorithmValue, error) {
	var out []algorithmValue
	for v.len() > 0 {
		pair, err := v.prefixed()
		if err != nil {
			return nil, err
		}
		id, err := pair.u32(0)
		if err != nil {
			return nil, err
		}
		rest, _ := pair.from(4)
		val, err := rest.prefixed()
		if err != nil {
			return nil, err
		}
		if out = append(out, algorithmValue{algorithm: id, value: val.b}); len(out) > 64 {
			return nil, pair.fail(0, "more than 64 algorithms")
		}
	}
	return out, nil
}
