package groundtruth

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Ledger is what a service really did: who asked, what it was answered with, and
// what was created. Its methods are safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	run      string
	asked    []Asked
	issued   []Issued
	byKey    map[string]string // id by kind and key
	sessions map[string]string // id by token
}

// Asked is one request.
type Asked struct {
	Run          string // the arm in which it came
	Host         string
	Method, Path string
	Status       int // of the answer; 101 where it was upgraded
}

// Issued is one thing that a service handed out.
type Issued struct {
	Run  string // the arm in which it was
	Kind Label
	ID   string
	New  bool // false where it was there before
}

func newLedger() *Ledger { return &Ledger{byKey: map[string]string{}, sessions: map[string]string{}} }

// begin says which arm's requests come now.
func (l *Ledger) begin(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run = run
}

func (l *Ledger) ask(r *http.Request, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, Asked{Run: l.run, Host: r.Host, Method: r.Method, Path: r.URL.Path, Status: status})
}

// issue notes what a service hands out to whoever has a key, and makes it where there
// is none; without a key it is new each time.
func (l *Ledger) issue(kind Label, key string, create func() string) (id string, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, known := "", false
	if key != "" {
		id, known = l.byKey[string(kind)+" "+key]
	}
	if !known {
		id = create()
		if key != "" {
			l.byKey[string(kind)+" "+key] = id
		}
	}
	l.issued = append(l.issued, Issued{Run: l.run, Kind: kind, ID: id, New: !known})
	return id, !known
}

// account opens an account for a key, or finds it.
func (l *Ledger) account(key string, create func() string) (id string, isNew bool) {
	return l.issue(Account, key, create)
}

// installation registers an installation or a device.
func (l *Ledger) installation(key string, create func() string) string {
	id, _ := l.issue(Installation, key, create)
	return id
}

// session begins a guest session and returns its token.
func (l *Ledger) session(create func() string) string {
	id, _ := l.issue(Session, "", create)
	return id
}

// Asked returns the requests so far, oldest first.
func (l *Ledger) Asked() []Asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

// Issued returns what was handed out so far, oldest first.
func (l *Ledger) Issued() []Issued {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.issued)
}

// Truth is the most that the service issued.
func (l *Ledger) Truth() Label {
	for _, label := range Labels {
		if slices.ContainsFunc(l.Issued(), func(i Issued) bool { return i.Kind == label }) {
			return label
		}
	}
	return Nothing
}

// Hangs is the one kind of identifier by which the account of arm A was found again: by
// every run of B, by none of D, and by none in which it alone was changed. It is empty
// where there is none, or where nothing but A, B and D was played: then comes says
// whether B found it and D did not.
func (l *Ledger) Hangs() (kind string, comes bool) {
	first := map[string]string{}
	for _, i := range l.Issued() {
		if i.Kind == Account && first[i.Run] == "" {
			first[i.Run] = i.ID
		}
	}
	with := map[string][2]int{} // by arm: runs that got the account, and all
	for name, id := range first {
		arm, _, _ := strings.Cut(name, "#")
		n := with[arm]
		n[1]++
		if id == first["A"] {
			n[0]++
		}
		with[arm] = n
	}
	b, d := with["B"], with["D"]
	if b[1] == 0 || d[1] == 0 || b[0] < b[1] || d[0] > 0 {
		return "", false
	}
	for arm, n := range with {
		if change, ok := strings.CutPrefix(arm, "C-"); ok && n[0] == 0 {
			if kind != "" {
				return "", true
			}
			kind = change
		}
	}
	return kind, true
}
