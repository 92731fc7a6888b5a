package knowledge

import (
	"fmt"
	"strings"
)

// How questions for names are told apart from other traffic.
const (
	PortDoT    = 853                       // of DNS over TLS (RFC 7858 section 3.1)
	DNSMessage = "application/dns-message" // the media type of DNS over HTTPS (RFC 8484 section 6)
)

// Resolver resolves names over HTTPS or TLS for anybody, so that a device that asks it
// asks nobody else.
type Resolver struct {
	Name      string   `yaml:"name"`
	Suffixes  []string `yaml:"suffixes"`  // host names, with all names under them
	Addresses []string `yaml:"addresses"` // IP addresses that clients have built in
	Source    `yaml:",inline"`
}

// Resolvers finds a resolver by its host.
type Resolvers struct {
	List   []Resolver
	byHost map[string]*Resolver
	twice  string
}

type resolverFile struct {
	Resolvers []Resolver `yaml:"resolvers"`
}

func newResolvers(list []Resolver) Resolvers {
	r := Resolvers{List: list, byHost: map[string]*Resolver{}}
	for i := range list {
		for _, hosts := range [][]string{list[i].Suffixes, list[i].Addresses} {
			for _, host := range hosts {
				if _, has := r.byHost[host]; has {
					r.twice = host
				}
				r.byHost[host] = &list[i]
			}
		}
	}
	return r
}

func (r *Resolvers) check() error {
	if r.twice != "" {
		return fmt.Errorf("%q stands twice", r.twice)
	}
	for i := range r.List {
		e := &r.List[i]
		if e.Name == "" || len(e.Suffixes)+len(e.Addresses) == 0 {
			return fmt.Errorf("resolver %d (%s): name and suffixes or addresses must be given", i+1, e.Name)
		}
		for _, s := range e.Suffixes {
			if s != strings.ToLower(s) || strings.Trim(s, ".") != s {
				return fmt.Errorf("resolver %s: suffix %q must be lower-case, without dots at its ends", e.Name, s)
			}
		}
		if err := e.Source.check(); err != nil {
			return fmt.Errorf("resolver %s: %w", e.Name, err)
		}
	}
	return nil
}

// Of returns the resolver at a host or an address, by the longest suffix that is known.
func (r *Resolvers) Of(host string) (*Resolver, bool) {
	host = strings.Trim(strings.TrimSuffix(strings.ToLower(host), "."), "[]")
	if strings.ContainsRune(host, ':') || strings.Trim(host, "0123456789.") == "" {
		e, ok := r.byHost[host] // an address has no names under it
		return e, ok
	}
	for {
		if e, ok := r.byHost[host]; ok {
			return e, true
		}
		_, rest, more := strings.Cut(host, ".")
		if !more {
			return nil, false
		}
		host = rest
	}
}
