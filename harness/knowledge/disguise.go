package knowledge

import (
	"fmt"
	"slices"
)

// Disguises say in which forms a canary is looked for. The names stand for
// functions of the judge; which are tried, and in which order, is decided here.
type Disguises struct {
	Source `yaml:",inline"`
	Kinds  []KindDisguise `yaml:"kinds"`
	// Shapes add spellings by what a value looks like, whatever its kind is called.
	Shapes []Shape `yaml:"shapes"`
	// Renderings are the ways a value is written where what stands around it can't be
	// decoded, or where nothing shows that there is something to decode.
	Renderings []string `yaml:"renderings"`
	// Digests are the hashes that are made of each variant, most frequent first.
	Digests []string `yaml:"digests"`
	// WeakDigests have so few bits that a second sign is needed.
	WeakDigests []string `yaml:"weak_digests"`
	// DigestForms are the ways a digest is written: hex, base64, raw.
	DigestForms []string `yaml:"digest_forms"`
	// BeforeDigest are the encodings of a value that are hashed as well as the value.
	BeforeDigest []string `yaml:"before_digest"`
	// HashedAgain are the forms of a digest that are hashed once more.
	HashedAgain []string `yaml:"hashed_again"`
	// Salted are the digests that are made of a value together with a salt, and as HMAC.
	Salted []string `yaml:"salted"`
	// Separators may stand between a salt and a value.
	Separators []string `yaml:"separators"`
	// Salts are known to be the same in many apps.
	Salts []Salt `yaml:"salts"`
	// Containers are opened wherever they are met; package unwrap lists their names.
	Containers []string `yaml:"containers"`
	// LocationDecimals is how precise a coordinate must be to count.
	LocationDecimals int `yaml:"location_decimals"`
	// CallingCodes are the country codes that a phone number may begin with, for its national form.
	CallingCodes []CallingCode `yaml:"calling_codes"`
}

// KindDisguise is what is particular to one kind of canary.
type KindDisguise struct {
	Kind     string   `yaml:"kind"`
	Label    string   `yaml:"label"`    // for a person: "advertising id"
	Variants []string `yaml:"variants"` // ways to spell it; each is rendered and hashed
	// Essential kinds are read by nearly every app: where one could not be planted,
	// "no identifier was seen" says too little.
	Essential bool `yaml:"essential"`
}

// Shape is a form that values of any kind may have: a UUID, a mail address. A value
// has the first shape of the list that fits.
type Shape struct {
	Shape    string   `yaml:"shape"`
	Variants []string `yaml:"variants"` // in addition to those of the kind
}

// Salt is a fixed text that is hashed together with a value.
type Salt struct {
	Value  string `yaml:"value"`
	Source `yaml:",inline"`
}

// CallingCode is a country code with the prefix that takes its place at home.
type CallingCode struct {
	Code  string `yaml:"code"`
	Trunk string `yaml:"trunk"`
}

// Kind returns what is particular to a kind; a kind that is not listed is
// looked for as it is, and as its shape says.
func (d *Disguises) Kind(kind string) KindDisguise {
	i := slices.IndexFunc(d.Kinds, func(k KindDisguise) bool { return k.Kind == kind })
	if i < 0 {
		return KindDisguise{Kind: kind, Label: kind, Variants: []string{"identity"}}
	}
	return d.Kinds[i]
}

func (d *Disguises) check() error {
	if err := d.Source.check(); err != nil {
		return err
	}
	for i, k := range d.Kinds {
		if k.Label == "" || len(k.Variants) == 0 {
			return fmt.Errorf("kind %q needs a label and variants", k.Kind)
		}
		if slices.ContainsFunc(d.Kinds[:i], func(o KindDisguise) bool { return o.Kind == k.Kind }) {
			return fmt.Errorf("kind %q stands twice", k.Kind)
		}
	}
	for i, s := range d.Shapes {
		if s.Shape == "" || len(s.Variants) == 0 {
			return fmt.Errorf("shape %q needs a name and variants", s.Shape)
		}
		if slices.ContainsFunc(d.Shapes[:i], func(o Shape) bool { return o.Shape == s.Shape }) {
			return fmt.Errorf("shape %q stands twice", s.Shape)
		}
	}
	for _, s := range d.Salts {
		if len(s.Value) < 4 {
			return fmt.Errorf("salt %q is shorter than 4 bytes", s.Value)
		}
		if err := s.Source.check(); err != nil {
			return fmt.Errorf("salt %q: %w", s.Value, err)
		}
	}
	if d.LocationDecimals < 3 {
		return fmt.Errorf("location_decimals is %d; below 3 a coordinate is a town", d.LocationDecimals)
	}
	return nil
}
