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
	// Renderings are the ways a value is written: plain, url, base64, hex.
	Renderings []string `yaml:"renderings"`
	// Digests are the hashes that are made of each variant.
	Digests []string `yaml:"digests"`
	// DigestForms are the ways a digest is written: hex, base64.
	DigestForms []string `yaml:"digest_forms"`
	// Containers are opened wherever they are met: url, json, form, multipart,
	// jwt, base64, hex, gzip, zlib, deflate, brotli, zstd.
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

// CallingCode is a country code with the prefix that takes its place at home.
type CallingCode struct {
	Code  string `yaml:"code"`
	Trunk string `yaml:"trunk"`
}

// Kind returns what is particular to a kind; a kind that is not listed is only
// looked for as it is.
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
	if d.LocationDecimals < 3 {
		return fmt.Errorf("location_decimals is %d; below 3 a coordinate is a town", d.LocationDecimals)
	}
	return nil
}
