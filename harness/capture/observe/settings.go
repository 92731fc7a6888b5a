package observe

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// settings reads a SETTINGS frame's payload. What one side says of its table is for
// what the other one sends.
func (c *Conn) settings(s *side, p []byte) error {
	if len(p)%6 != 0 {
		return notUnderstood("a SETTINGS frame has half a setting")
	}
	other := &c.up
	if s.sent {
		other = &c.down
	}
	var strange []byte
	for ; len(p) > 0; p = p[6:] {
		switch id := binary.BigEndian.Uint16(p); {
		case http2.SettingID(id) == http2.SettingHeaderTableSize:
			other.frames.allow(binary.BigEndian.Uint32(p[2:]))
		case id == 0 || id > lastSetting:
			strange = append(strange, p[2:6]...)
		}
	}
	if !s.sent {
		return nil
	}
	return c.strayed(true, strange)
}

// lastSetting is the last of the settings that are in use: SETTINGS_NO_RFC7540_PRIORITIES
// (RFC 9218 section 2.1).
const lastSetting = 9
