package android

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// properties are the system properties, as getprop and setprop know them.
type properties struct {
	mu     sync.Mutex
	values map[string]string
}

func newProperties(values map[string]string) *properties {
	return &properties{values: values}
}

// get returns a property, or "".
func (p *properties) get(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[name]
}

// force sets a property past the rules for setprop.
func (p *properties) force(name, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[name] = value
}

// maxPropertyValue is PROP_VALUE_MAX without its terminating NUL.
const maxPropertyValue = 91

// set is setprop: read-only properties are set once, and values are short.
func (p *properties) set(name, value string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") ||
		strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-@:", r)
		}) {
		return refusef("Failed to set property '%s' to '%s'.\nSee dmesg for error reason.", name, value)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	readOnly := strings.HasPrefix(name, "ro.")
	if len(value) > maxPropertyValue && !readOnly {
		return refusef("Value '%s' is too long. Max length is %d", value, maxPropertyValue)
	}
	if _, exists := p.values[name]; exists && readOnly {
		return refusef("Failed to set property '%s' to '%s'.\nSee dmesg for error reason.", name, value)
	}
	p.values[name] = value
	return nil
}

// list is every property in getprop's form, sorted by name.
func (p *properties) list() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		fmt.Fprintf(&b, "[%s]: [%s]\n", name, p.values[name])
	}
	return b.String()
}
