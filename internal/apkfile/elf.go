package apkfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
)

// Library is a native library of the archive.
type Library struct {
	Name    string // in the archive: lib/arm64-v8a/libexample.so
	ABI     string // the folder's: arm64-v8a
	Machine string // the file's own: AArch64; empty where it is no ELF file
	// BuildID is the GNU build id of its notes in hexadecimal; empty where there is none
	// in the first MiB, where linkers put it.
	BuildID string
	Size    int64 // bytes
}

// elfHead is how much of a library is read.
const elfHead = 1 << 20

// Library reads what a library says of itself. A file that is no ELF file is no error.
func (f *File) Library(name string) (Library, error) {
	out := Library{Name: name, ABI: abiOf(name), Size: f.EntrySize(name)}
	r, err := f.Open(name)
	if err != nil {
		return out, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, elfHead))
	var fault *Error
	if err != nil && !errors.As(err, &fault) {
		return out, err
	}
	out.Machine, out.BuildID = elfNotes(b)
	return out, nil
}

// abiOf is the folder of a library under lib/, "" for a file elsewhere.
func abiOf(name string) string {
	parts := bytes.Split([]byte(name), []byte("/"))
	if len(parts) == 3 && string(parts[0]) == "lib" {
		return string(parts[1])
	}
	return ""
}

// machines are values of e_machine, in the words of the ELF specification's registry.
var machines = map[uint16]string{3: "80386", 8: "MIPS", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}

const (
	segmentNote  = 4    // PT_NOTE
	noteBuildID  = 3    // NT_GNU_BUILD_ID
	maxSegments  = 4096 // real libraries have about ten
	maxBuildID   = 64   // bytes
	elfClass64   = 2
	elfDataLSB   = 1
	elfHeaderMin = 52
)

// elfNotes reads the machine and the build id out of the beginning of an ELF file; what
// lies beyond b, or is not sound, is left out.
func elfNotes(b []byte) (machine, buildID string) {
	v := view{b: b, part: "ELF", kind: ErrBadArchive}
	if len(b) < elfHeaderMin || !bytes.HasPrefix(b, []byte("\x7fELF")) || b[5] != elfDataLSB {
		return "", ""
	}
	m, _ := v.u16(18)
	machine = machines[m]
	if machine == "" {
		machine = "unknown"
	}
	wide := b[4] == elfClass64
	var table uint64
	var size, count uint16
	if wide {
		table, _ = v.u64(32)
		size, _ = v.u16(54)
		count, _ = v.u16(56)
	} else {
		t, _ := v.u32(28)
		table = uint64(t)
		size, _ = v.u16(42)
		count, _ = v.u16(44)
	}
	for i := range min(int(count), maxSegments) {
		at := table + uint64(i)*uint64(size)
		if at > uint64(len(b)) {
			break
		}
		kind, err := v.u32(int(at))
		if err != nil {
			break
		}
		if kind != segmentNote {
			continue
		}
		var off, length uint64
		if wide {
			off, _ = v.u64(int(at) + 8)
			length, _ = v.u64(int(at) + 32)
		} else {
			o, _ := v.u32(int(at) + 4)
			l, _ := v.u32(int(at) + 16)
			off, length = uint64(o), uint64(l)
		}
		if off > uint64(len(b)) || length > uint64(len(b))-off {
			continue
		}
		if id := buildIDOf(b[off : off+length]); id != "" {
			return machine, id
		}
	}
	return machine, ""
}

// buildIDOf looks through the notes of a segment: name size, descriptor size, type, then
// both, each padded to four bytes.
func buildIDOf(notes []byte) string {
	v := view{b: notes, part: "ELF", kind: ErrBadArchive}
	for at := 0; at+12 <= len(notes); {
		nameSize, _ := v.u32(at)
		descSize, _ := v.u32(at + 4)
		kind, _ := v.u32(at + 8)
		name := at + 12
		desc := int64(name) + (int64(nameSize)+3)&^3
		next := desc + (int64(descSize)+3)&^3
		if next > int64(len(notes)) {
			return ""
		}
		if kind == noteBuildID && nameSize == 4 && string(notes[name:name+4]) == "GNU\x00" && descSize <= maxBuildID {
			return hex.EncodeToString(notes[desc : desc+int64(descSize)])
		}
		at = int(next)
	}
	return ""
}
