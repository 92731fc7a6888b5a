// Package tcf reads what an app says it was told about consent: the TC string of the
// IAB's Transparency and Consent Framework (version 2, policy 2.2 and later included),
// GPP strings and US Privacy strings, alone or out of an app's shared preferences.
//
// Begin with [Parse] for a string of any of these, or [Preferences] for a file.
package tcf

import (
	"fmt"
	"strings"
	"time"
)

// TC is a decoded TC string (IAB Europe, "Transparency and Consent String with Global
// Vendor & CMP List Formats", version 2). Ids count from 1; all lists are ascending.
type TC struct {
	Version            int           `json:"version"`
	Created            time.Time     `json:"created"` // to a tenth of a second
	Updated            time.Time     `json:"updated"`
	CMP                int           `json:"cmp_id"`
	CMPVersion         int           `json:"cmp_version"`
	Screen             int           `json:"consent_screen"`
	Language           string        `json:"language"`
	VendorList         int           `json:"vendor_list_version"`
	Policy             int           `json:"policy_version"`
	ServiceSpecific    bool          `json:"service_specific"`
	NonStandardTexts   bool          `json:"non_standard_texts"`
	SpecialFeatures    []int         `json:"special_features"`
	Purposes           []int         `json:"purposes"`                     // consented to
	LegitimateInterest []int         `json:"purposes_legitimate_interest"` // told of, and not objected to
	PurposeOneTreated  bool          `json:"purpose_one_treatment"`        // purpose 1 was not disclosed
	Country            string        `json:"publisher_country"`
	Vendors            []int         `json:"vendors"`
	VendorsInterest    []int         `json:"vendors_legitimate_interest"`
	Restrictions       []Restriction `json:"publisher_restrictions"`
	// Disclosed is nil where the string has no segment for it, as it may before policy 2.3.
	Disclosed []int      `json:"disclosed_vendors"`
	Allowed   []int      `json:"allowed_vendors,omitempty"`
	Publisher *Publisher `json:"publisher,omitempty"`
}

// Restriction is what a publisher forbids or requires of vendors for a purpose.
type Restriction struct {
	Purpose int     `json:"purpose"`
	Type    int     `json:"type"` // 0 not allowed, 1 require consent, 2 require legitimate interest
	Vendors []Range `json:"vendors"`
}

// Publisher is the segment about the publisher's own purposes.
type Publisher struct {
	Purposes           []int `json:"purposes"`
	LegitimateInterest []int `json:"purposes_legitimate_interest"`
	Custom             []int `json:"custom_purposes"`
	CustomInterest     []int `json:"custom_purposes_legitimate_interest"`
}

// The types of segments behind the first.
const (
	segmentDisclosed = 1
	segmentAllowed   = 2
	segmentPublisher = 3
)

// ParseTC reads a TC string. The error wraps [ErrMalformed].
func ParseTC(s string) (*TC, error) {
	core, rest, more := strings.Cut(strings.TrimSpace(s), ".")
	b := newBits(strings.TrimRight(core, "="))
	tc := &TC{Version: int(b.number(6))}
	if b.err == nil && tc.Version != 2 {
		return nil, fmt.Errorf("%w: TC strings of version %d are not read, only of version 2", ErrMalformed, tc.Version)
	}
	tc.core(b)
	if b.err != nil {
		return nil, fmt.Errorf("TC string: %w", b.err)
	}
	for more {
		var segment string
		segment, rest, more = strings.Cut(rest, ".")
		if err := tc.segment(segment); err != nil {
			return nil, fmt.Errorf("TC string: %w", err)
		}
	}
	return tc, nil
}

func (tc *TC) core(b *bits) {
	tc.Created, tc.Updated = deciseconds(b.number(36)), deciseconds(b.number(36))
	tc.CMP, tc.CMPVersion, tc.Screen = int(b.number(12)), int(b.number(12)), int(b.number(6))
	tc.Language = b.letters()
	tc.VendorList, tc.Policy = int(b.number(12)), int(b.number(6))
	tc.ServiceSpecific, tc.NonStandardTexts = b.flag(), b.flag()
	tc.SpecialFeatures, tc.Purposes, tc.LegitimateInterest = b.set(12), b.set(24), b.set(24)
	tc.PurposeOneTreated = b.flag()
	tc.Country = b.letters()
	tc.Vendors, tc.VendorsInterest = b.vendors(), b.vendors()
	tc.Restrictions = []Restriction{}
	for range b.number(12) {
		r := Restriction{Purpose: int(b.number(6)), Type: int(b.number(2)), Vendors: b.ranges()}
		if b.err != nil {
			return
		}
		tc.Restrictions = append(tc.Restrictions, r)
	}
}

func (tc *TC) segment(s string) error {
	b := newBits(strings.TrimRight(s, "="))
	switch kind := b.number(3); kind {
	case segmentDisclosed:
		tc.Disclosed = b.vendors()
	case segmentAllowed:
		tc.Allowed = b.vendors()
	case segmentPublisher:
		p := &Publisher{Purposes: b.set(24), LegitimateInterest: b.set(24)}
		n := int(b.number(6))
		p.Custom, p.CustomInterest = b.set(n), b.set(n)
		tc.Publisher = p
	default:
		if b.err == nil {
			return fmt.Errorf("%w: a segment of type %d", ErrMalformed, kind)
		}
	}
	return b.err
}

func deciseconds(n int64) time.Time { return time.UnixMilli(n * 100).UTC() }
