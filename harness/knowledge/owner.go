package knowledge

import (
	"fmt"
	"strings"
)

// Owner is the company behind hosts.
type Owner struct {
	Suffixes []string `yaml:"suffixes"` // host names, with all names under them
	Company  string   `yaml:"company"`
	Ultimate string   `yaml:"ultimate"` // the company that controls it, where that is another
	Country  string   `yaml:"country"`  // of the ultimate owner's seat, ISO 3166-1 alpha-2; empty where there is none
	Purpose  string   `yaml:"purpose"`
	// Calibration marks hosts of the calibration apps, which no company owns.
	Calibration bool `yaml:"calibration"`
	Source      `yaml:",inline"`
}

// Name is the company, with the one that controls it.
func (o *Owner) Name() string {
	if o.Ultimate == "" || o.Ultimate == o.Company {
		return o.Company
	}
	return o.Company + " (" + o.Ultimate + ")"
}

// Owners finds the company behind a host.
type Owners struct {
	List     []Owner
	bySuffix map[string]*Owner
	twice    string
}

type ownerFile struct {
	Owners []Owner `yaml:"owners"`
}

func newOwners(list []Owner) Owners {
	o := Owners{List: list, bySuffix: make(map[string]*Owner, len(list))}
	for i := range list {
		for _, suffix := range list[i].Suffixes {
			if _, has := o.bySuffix[suffix]; has {
				o.twice = suffix
			}
			o.bySuffix[suffix] = &list[i]
		}
	}
	return o
}

func (o *Owners) check() error {
	if o.twice != "" {
		return fmt.Errorf("suffix %q stands twice", o.twice)
	}
	for i := range o.List {
		e := &o.List[i]
		if e.Company == "" || len(e.Suffixes) == 0 {
			return fmt.Errorf("owner %d (%s): company and suffixes must be given", i+1, e.Company)
		}
		for _, s := range e.Suffixes {
			if s != strings.ToLower(s) || strings.Trim(s, ".") != s {
				return fmt.Errorf("owner %s: suffix %q must be lower-case, without dots at its ends", e.Company, s)
			}
		}
		if err := e.Source.check(); err != nil {
			return fmt.Errorf("owner %s: %w", e.Company, err)
		}
	}
	return nil
}

// Of returns the owner of a host, by the longest suffix that is known.
func (o *Owners) Of(host string) (*Owner, bool) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for {
		if e, ok := o.bySuffix[host]; ok {
			return e, true
		}
		_, rest, more := strings.Cut(host, ".")
		if !more {
			return nil, false
		}
		host = rest
	}
}
