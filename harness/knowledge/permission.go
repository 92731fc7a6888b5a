package knowledge

import "fmt"

// PermissionLevel is a protection level and the permissions that have it.
type PermissionLevel struct {
	Level  string   `yaml:"level"` // normal, dangerous, signature, internal
	Flags  []string `yaml:"flags"` // such as privileged, appop
	Names  []string `yaml:"names"`
	Source `yaml:",inline"`
}

// Permissions are those that Android and Google Play services define.
type Permissions struct {
	Levels []PermissionLevel
	byName map[string]*PermissionLevel
	twice  string
}

type permissionFile struct {
	Permissions []PermissionLevel `yaml:"permissions"`
}

func newPermissions(list []PermissionLevel) Permissions {
	p := Permissions{Levels: list, byName: map[string]*PermissionLevel{}}
	for i := range list {
		for _, n := range list[i].Names {
			if p.byName[n] != nil {
				p.twice = n
			}
			p.byName[n] = &list[i]
		}
	}
	return p
}

// Of is the level of a permission; false where it is not known.
func (p *Permissions) Of(name string) (*PermissionLevel, bool) {
	l, ok := p.byName[name]
	return l, ok
}

func (p *Permissions) check() error {
	if p.twice != "" {
		return fmt.Errorf("permission %q stands twice", p.twice)
	}
	for i := range p.Levels {
		l := &p.Levels[i]
		if l.Level == "" || len(l.Names) == 0 {
			return fmt.Errorf("level %d (%s): level and names must be given", i+1, l.Level)
		}
		if err := l.Source.check(); err != nil {
			return fmt.Errorf("level %s: %w", l.Level, err)
		}
	}
	return nil
}
