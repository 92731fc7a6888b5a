package apkfile

import (
	"errors"
	"fmt"
)

// The kinds of what can be wrong with a file. Every error that this package
// finds in a file's bytes is an [*Error] that wraps one of them.
var (
	ErrNotAPK       = errors.New("not an APK")              // no ZIP, or a ZIP without a manifest
	ErrTruncated    = errors.New("truncated APK")           // begins as a ZIP and ends too early
	ErrBadArchive   = errors.New("damaged ZIP archive")     // a ZIP whose directory or entries contradict themselves
	ErrTooLarge     = errors.New("larger than can be read") // beyond a limit, such as an entry that is a decompression bomb
	ErrBadManifest  = errors.New("malformed manifest")      // the binary XML or what it says
	ErrBadXML       = errors.New("malformed binary XML")    // another compiled XML file
	ErrBadResources = errors.New("malformed resource table")
	ErrBadDex       = errors.New("malformed bytecode") // a classes.dex
	ErrUnsigned     = errors.New("not signed")
	ErrBadSignature = errors.New("signature does not verify")
)

// Error says what is wrong with a file, and where.
type Error struct {
	Kind   error  // one of the Err variables
	Part   string // of the file: "ZIP", "AndroidManifest.xml", "signing block", ...
	Offset int64  // bytes from the beginning of the part, or -1 where there is no one place
	What   string // in words
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%v: %s: %s", e.Kind, e.Part, e.What)
	}
	return fmt.Sprintf("%v: %s, at byte %d: %s", e.Kind, e.Part, e.Offset, e.What)
}

func (e *Error) Unwrap() error { return e.Kind }

// fault makes an Error with a formatted What.
func fault(kind error, part string, offset int64, format string, args ...any) *Error {
	return &Error{Kind: kind, Part: part, Offset: offset, What: fmt.Sprintf(format, args...)}
}
