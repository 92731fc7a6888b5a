package evidence

import (
	"context"
	"errors"
	"io"
	"time"
)

// Log is an evidence folder that is being written.
type Log struct{}

// BlobWriter is a blob that is being written.
type BlobWriter struct{}

// Stamp says where in the audit something happened.
type Stamp struct {
	Arm, Phase string
	Consent    Consent
}

// Bundle is a sealed evidence folder, open for reading.
type Bundle struct{}

// Problem is one thing that is wrong with a bundle.
type Problem struct {
	File   string // path within the bundle, with slashes
	Offset int64  // of the first byte that is known to be wrong, from 0
	What   string // what is wrong, in a sentence
}

// The errors that a caller may have to decide on.
var (
	ErrNotEmpty  = errors.New("the folder is not empty")
	ErrFull      = errors.New("the disk is full")
	ErrSealed    = errors.New("the evidence is sealed")
	ErrUnsealed  = errors.New("the evidence is not sealed")
	ErrNotBundle = errors.New("no evidence here")
	ErrInUse     = errors.New("the evidence is being written")
	errStub      = errors.New("evidence: not written yet")
)

func Create(dir string, now func() time.Time) (*Log, error)            { return nil, errStub }
func (l *Log) Position(arm, phase string, c Consent)                   {}
func (l *Log) Where() Stamp                                            { return Stamp{} }
func (l *Log) Append(kind string, data any) (Event, error)             { return Event{}, errStub }
func (l *Log) AppendAt(at Stamp, kind string, data any) (Event, error) { return Event{}, errStub }
func (l *Log) Next(what string) uint64                                 { return 0 }
func (l *Log) Subscribe(f func(Event))                                 {}
func (l *Log) PutBlob(r io.Reader) (Digest, int64, error)              { return "", 0, errStub }
func (l *Log) NewBlob() (*BlobWriter, error)                           { return nil, errStub }
func (l *Log) Seal(m Manifest) error                                   { return errStub }
func (w *BlobWriter) Write(p []byte) (int, error)                      { return 0, errStub }
func (w *BlobWriter) Commit() (Digest, int64, error)                   { return "", 0, errStub }
func (w *BlobWriter) Abort()                                           {}
func Open(dir string) (*Bundle, error)                                 { return nil, errStub }
func SealInterrupted(dir string, why string) error                     { return errStub }
func Verify(ctx context.Context, dir string) ([]Problem, error)        { return nil, errStub }
