// Package knowledge is what we know of the world, as data: who answers at a host,
// which request creates an account, which words a consent dialog uses, which
// disguises an identifier is sent in, and what looks like a finding and is none.
//
// The data are YAML files beside this file, embedded into the program. Every entry
// says where it comes from and when that was checked. Begin with [Embedded]; a
// researcher who tries entries of their own begins with [Load].
package knowledge

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// The files that make up a knowledge base.
const (
	FileSignatures = "signatures.yaml"
	FileOwners     = "owners.yaml"
	FileConsent    = "consent.yaml"
	FileWords      = "words.yaml"
	FileTraps      = "traps.yaml"
	FileDisguises  = "disguises.yaml"
	FileFields     = "fields.yaml"
	FileFeatures   = "features.yaml"
	FileResolvers  = "resolvers.yaml"
	FileBarriers   = "barriers.yaml"
	FileSignup     = "signup.yaml"

	FileSDKs        = "sdks.yaml"
	FileFrameworks  = "frameworks.yaml"
	FilePermissions = "permissions.yaml"
)

// Files lists the files of a base by name, sorted.
func Files() []string {
	names, err := fs.Glob(embedded, "*.yaml")
	if err != nil {
		return nil // the pattern is right
	}
	return names
}

//go:embed *.yaml
var embedded embed.FS

// Base is a knowledge base.
type Base struct {
	Signatures []Signature
	Owners     Owners
	Words      Words
	Signup     Words // of sign-up forms
	Consent    Lexicon
	Traps      Traps
	Disguises  Disguises
	Fields     Fields
	Features   []Feature
	Resolvers  Resolvers
	Barriers   []Barrier

	files   map[string][]layer
	carried func() (*Carried, error)
	version evidence.Digest
}

// Source says where an entry comes from.
type Source struct {
	Source     string `yaml:"source" json:"source"`         // a document, a URL, or what else somebody can look up
	Checked    string `yaml:"checked" json:"checked"`       // the day it was last compared with the source: 2026-01-31
	Confidence string `yaml:"confidence" json:"confidence"` // Read or Memory
}

// How sure an entry is.
const (
	Read   = "read"   // seen in a public source
	Memory = "memory" // believed, not seen
)

// Embedded is the knowledge that the program was built with.
func Embedded() (*Base, error) {
	b, err := Load(embedded)
	if err == nil { // what apps carry is long, and the same for every base
		own := b.carried
		embeddedCarried.once.Do(func() { embeddedCarried.get = own })
		b.carried = embeddedCarried.get
	}
	return b, err
}

var embeddedCarried struct {
	once sync.Once
	get  func() (*Carried, error)
}

// Load reads a knowledge base from a folder that holds every file, and adds to it what
// more folders hold. Errors are one line each and name file, line and column; for an
// unknown key also the key that was probably meant.
func Load(fsys fs.FS, more ...Addition) (*Base, error) {
	files, err := layers(fsys, more)
	if err != nil {
		return nil, err
	}
	base := &Base{files: files}
	var (
		signatures signatureFile
		owners     ownerFile
		features   featureFile
		resolvers  resolverFile
		barriers   barrierFile
	)
	carried := map[string][]layer{}
	sum := sha256.New()
	for _, file := range []struct {
		name string
		into any
	}{
		{FileConsent, &base.Consent},
		{FileBarriers, &barriers},
		{FileDisguises, &base.Disguises},
		{FileFeatures, &features},
		{FileFields, &base.Fields},
		{FileFrameworks, nil},
		{FileOwners, &owners},
		{FilePermissions, nil},
		{FileResolvers, &resolvers},
		{FileSDKs, nil},
		{FileSignatures, &signatures},
		{FileSignup, &base.Signup},
		{FileTraps, &base.Traps},
		{FileWords, &base.Words},
	} {
		list := files[file.name]
		for i, l := range list {
			name := file.name
			if i > 0 {
				name = "+" + name
			}
			var size [8]byte
			binary.BigEndian.PutUint64(size[:], uint64(len(l.data)))
			sum.Write([]byte(name + "\x00"))
			sum.Write(size[:])
			sum.Write(l.data)
		}
		if file.name == FileSignatures {
			list = slices.Clone(list)
			slices.Reverse(list) // the first that fits counts
		}
		if file.into == nil {
			carried[file.name] = list
		} else if err := decode(list, file.into); err != nil {
			return nil, err
		}
	}
	base.version = evidence.Digest(hex.EncodeToString(sum.Sum(nil)))
	base.Signatures = signatures.Signatures
	base.Features = features.Features
	base.Barriers = barriers.Barriers
	base.Owners = newOwners(owners.Owners)
	base.Resolvers = newResolvers(resolvers.Resolvers)
	base.carried = sync.OnceValues(func() (*Carried, error) { return parseCarried(carried) })
	if err = base.prepare(); err != nil {
		return nil, err
	}
	return base, nil
}

// Version is a hash of all files: two bases with the same version judge alike.
func (b *Base) Version() evidence.Digest { return b.version }

func (b *Base) prepare() error {
	for _, step := range []struct {
		file string
		do   func() error
	}{
		{FileSignatures, b.prepareSignatures},
		{FileOwners, b.Owners.check},
		{FileWords, b.Words.prepare},
		{FileSignup, b.Signup.prepare},
		{FileConsent, b.Consent.prepare},
		{FileTraps, b.Traps.prepare},
		{FileDisguises, b.Disguises.check},
		{FileFields, b.Fields.prepare},
		{FileFeatures, b.checkFeatures},
		{FileResolvers, b.Resolvers.check},
		{FileBarriers, b.checkBarriers},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
	}
	return nil
}
