package main

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/recording"
)

// foundAccount is what a service gave out, as --json prints it.
type foundAccount struct {
	Claim      string       `json:"claim"`   // "account"
	Kind       string       `json:"kind"`    // principal, session or installation
	Level      int          `json:"level"`   // of the ladder; 0 for a session
	Service    string       `json:"service"` // the host where no signature fits
	Host       string       `json:"host"`
	Signature  string       `json:"signature"` // empty where none fits
	Minted     foundPlace   `json:"minted"`    // what names the user best
	AlsoMinted []foundPlace `json:"also_minted"`
	Used       []foundUse   `json:"used"`
	Signup     bool         `json:"signup"`
	Confidence float64      `json:"confidence"`
	Grounds    string       `json:"grounds"`
}

// foundPlace is a place in a response.
type foundPlace struct {
	Entry int    `json:"entry"` // index in log.entries, from 0
	Where string `json:"where"`
}

// foundUse is a place in a request where it came back.
type foundUse struct {
	Entry int    `json:"entry"`
	Where string `json:"where"`
	As    string `json:"as"`
}

// issued writes a line for each thing that a service gave out. An id that the app made
// itself and only registered is pointed at by the request that did.
func (p *sightingPrinter) issued(list []judge.Issued) error {
	for _, x := range list {
		f := foundAccount{
			Claim: "account", Kind: x.Kind, Level: x.Level, Service: x.Service, Host: x.Host, Signature: x.Signature,
			Minted: foundPlace{recording.Entry(x.Request.Flow), x.Request.Where}, AlsoMinted: []foundPlace{}, Used: []foundUse{},
			Signup: x.Signup, Confidence: x.Sure, Grounds: x.Grounds,
		}
		for i, m := range x.Minted {
			place := foundPlace{recording.Entry(m.Flow), m.Where}
			if i == 0 {
				f.Minted = place
			} else {
				f.AlsoMinted = append(f.AlsoMinted, place)
			}
		}
		for _, u := range x.Used {
			if use := (foundUse{recording.Entry(u.Flow), u.Where, u.As}); !slices.Contains(f.Used, use) {
				f.Used = append(f.Used, use)
			}
		}
		if err := p.enc.Encode(f); err != nil {
			return err
		}
	}
	return nil
}
