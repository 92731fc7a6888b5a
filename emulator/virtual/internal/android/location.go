package android

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fix is where the device believes to be.
type fix struct {
	Latitude, Longitude, Accuracy float64 // degrees and metres
	At                            time.Time
}

// parseFix reads "LATITUDE,LONGITUDE".
func parseFix(s string) (fix, error) {
	lat, lon, ok := strings.Cut(s, ",")
	f := fix{Accuracy: 100}
	var err1, err2 error
	f.Latitude, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	f.Longitude, err2 = strconv.ParseFloat(strings.TrimSpace(lon), 64)
	if !ok || err1 != nil || err2 != nil {
		return fix{}, illegalArgument("Location argument must be in the form of \"<LATITUDE>,<LONGITUDE>\", not [%s]", s)
	}
	if !(math.Abs(f.Latitude) <= 90 && math.Abs(f.Longitude) <= 180) {
		return fix{}, illegalArgument("latitude must be in [-90, 90] and longitude in [-180, 180], not [%s]", s)
	}
	return f, nil
}

// locations is the location manager.
type locations struct {
	mu        sync.Mutex
	enabled   bool
	providers map[string]*locationProvider
}

type locationProvider struct {
	Test, Enabled bool
	Last          *fix
}

func newLocations() *locations {
	return &locations{enabled: true, providers: map[string]*locationProvider{
		"gps": {Enabled: true}, "network": {Enabled: true}, "fused": {Enabled: true}, "passive": {Enabled: true},
	}}
}

// addTest makes a provider a test provider.
func (l *locations) addTest(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.providers[name] = &locationProvider{Test: true}
}

// removeTest takes a test provider away; the four that every device has come back empty.
func (l *locations) removeTest(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.providers[name]; p == nil || !p.Test {
		return
	}
	delete(l.providers, name)
	if slices.Contains([]string{"gps", "network", "fused", "passive"}, name) {
		l.providers[name] = &locationProvider{Enabled: true}
	}
}

// test returns a test provider, or Android's error.
func (l *locations) test(name string) (*locationProvider, error) {
	p := l.providers[name]
	if p == nil || !p.Test {
		return nil, illegalArgument("%s provider is not a test provider", name)
	}
	return p, nil
}

func (l *locations) enableTest(name string, on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.test(name)
	if err == nil {
		p.Enabled = on
	}
	return err
}

func (l *locations) setTest(name string, f fix) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.test(name)
	if err == nil {
		p.Last = &f
	}
	return err
}

// setEnabled is the person's switch for all location.
func (l *locations) setEnabled(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enabled = on
}

func (l *locations) isEnabled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.enabled
}

// last is the newest fix of any enabled provider.
func (l *locations) last() (fix, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var best *fix
	if l.enabled {
		for _, p := range l.providers {
			if p.Enabled && p.Last != nil && (best == nil || p.Last.At.After(best.At)) {
				best = p.Last
			}
		}
	}
	if best == nil {
		return fix{}, false
	}
	return *best, true
}

// coarse is what an app with only ACCESS_COARSE_LOCATION gets: a point of a
// grid with about two kilometres between its lines.
func (f fix) coarse() fix {
	const metres, degree = 2000.0, 111_000.0
	step := metres / degree
	f.Latitude = math.Round(f.Latitude/step) * step
	lon := step / max(math.Cos(f.Latitude*math.Pi/180), 0.01)
	f.Longitude = math.Round(f.Longitude/lon) * lon
	f.Accuracy = metres
	return f
}

// dump is "dumpsys location".
func (l *locations) dump(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "Location Manager State:\n  User Info:\n    Current User: 0\n  Location Settings:\n    Location Setting: %t\n  Location Providers:\n", l.enabled)
	for _, name := range slices.Sorted(maps.Keys(l.providers)) {
		p := l.providers[name]
		mock := ""
		if p.Test {
			mock = " [mock]"
		}
		fmt.Fprintf(&b, "    %s provider%s:\n", name, mock)
		if p.Last == nil {
			b.WriteString("      last location=null\n")
		} else {
			fmt.Fprintf(&b, "      last location=Location[%s %.6f,%.6f hAcc=%s et=+%s mock]\n", name, p.Last.Latitude, p.Last.Longitude,
				strconv.FormatFloat(p.Last.Accuracy, 'f', -1, 64), now.Sub(p.Last.At).Round(time.Millisecond))
		}
		fmt.Fprintf(&b, "      enabled=%t\n", p.Enabled)
	}
	return b.String()
}
