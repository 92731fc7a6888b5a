package apps

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Ledger is what an app's services really received and handed out: the ground
// truth. Its methods are safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	entries  []Entry
	accounts []Account
	uploads  map[string]*Upload
	order    []string
}

// Entry is one request as the service understood it, disguises taken off.
type Entry struct {
	At           time.Time
	Host         string
	Method, Path string
	Purpose      string            // one of the Purpose constants
	Got          map[string]string // what was of interest in it, by kind: "ssaid", "advertising_id", "email_sha256", "location" ...
}

// What a request was for.
const (
	PurposeDevice    = "device registration"
	PurposeAccount   = "account" // one was created or recognised without a sign-up
	PurposeSignUp    = "sign-up" // by the person, with a form
	PurposeConsent   = "consent"
	PurposeFeed      = "feed"
	PurposeHeartbeat = "heartbeat"
	PurposeCrash     = "crash reporter"
	PurposeAnalytics = "analytics"
	PurposeAds       = "ads"
	PurposeUpload    = "upload"
	PurposeFace      = "face landmarks"
	PurposeContent   = "content" // recipes, pictures, configuration: the same for everyone
	PurposeInstall   = "installation id"
)

// Account is an account that a service keeps.
type Account struct {
	ID, Username string
	Key          string // what it is recognised by: an SSAID, a mail address
	Anonymous    bool
	Mail         string // that the person signed up with; "" before, and where it is the key
	Created      time.Time
	Tokens       []string // every token that was handed out for it
}

// Upload is a file that arrived in pieces.
type Upload struct {
	ID     string
	Total  int64 // bytes, as announced
	Pieces int
	Faces  int // points of the landmark vector that came with it
	data   []byte
	have   int64
}

// Complete reports whether every byte arrived.
func (u Upload) Complete() bool { return u.Total > 0 && u.have == u.Total }

// Received is the number of bytes that arrived.
func (u Upload) Received() int64 { return u.have }

// SHA256 is the hash of what arrived, in hexadecimal.
func (u Upload) SHA256() string {
	sum := sha256.Sum256(u.data)
	return hex.EncodeToString(sum[:])
}

// Bounds on what a ledger keeps, for any app on the device may talk to these services.
const (
	maxEntries  = 100_000
	maxAccounts = 10_000
	maxTokens   = 100      // of one account; an older one is forgotten
	maxUpload   = 64 << 20 // bytes
	maxUploads  = 64
)

func (l *Ledger) add(r *http.Request, purpose string, got map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= maxEntries {
		return
	}
	maps.DeleteFunc(got, func(_, v string) bool { return v == "" })
	l.entries = append(l.entries, Entry{
		At: time.Now(), Host: hostOf(r), Method: r.Method, Path: r.URL.Path, Purpose: purpose, Got: got,
	})
}

// Entries returns what was received so far, in order. Without purposes it is
// everything, else only what was for one of them.
func (l *Ledger) Entries(purposes ...string) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Entry
	for _, e := range l.entries {
		if len(purposes) == 0 || slices.Contains(purposes, e.Purpose) {
			out = append(out, e)
		}
	}
	return out
}

// Hosts returns the names that were talked to, sorted.
func (l *Ledger) Hosts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.entries {
		if !slices.Contains(out, e.Host) {
			out = append(out, e.Host)
		}
	}
	slices.Sort(out)
	return out
}

// Accounts returns the accounts that exist, in the order in which they were created.
func (l *Ledger) Accounts() []Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.accounts)
	for i := range out {
		out[i].Tokens = slices.Clone(out[i].Tokens)
	}
	return out
}

// Uploads returns the files that arrived, whole or in part, in the order in which they began.
func (l *Ledger) Uploads() []Upload {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Upload
	for _, id := range l.order {
		u := *l.uploads[id]
		u.data = slices.Clone(u.data)
		out = append(out, u)
	}
	return out
}

// account returns the account with a key, creating it where there is none, and
// hands out a token for it. It is the zero account where there is no room for more.
func (l *Ledger) account(key string, anonymous bool, create func() Account) (a Account, token string, isNew bool) {
	token = opaque(32)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.accounts {
		if a := &l.accounts[i]; a.Key == key && (a.Anonymous || a.Mail != "") == anonymous {
			l.accounts[i].Tokens = append(l.accounts[i].Tokens, token)
			if n := len(l.accounts[i].Tokens); n > maxTokens {
				l.accounts[i].Tokens = slices.Clone(l.accounts[i].Tokens[n-maxTokens:])
			}
			return l.accounts[i], token, false
		}
	}
	if len(l.accounts) >= maxAccounts {
		return Account{}, "", false
	}
	a = create()
	a.Key, a.Anonymous, a.Tokens = key, anonymous, []string{token}
	l.accounts = append(l.accounts, a)
	return a, token, true
}

// byToken finds the account that a token was handed out for.
func (l *Ledger) byToken(token string) (Account, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.accounts {
		if slices.Contains(a.Tokens, token) {
			return a, true
		}
	}
	return Account{}, false
}

// signUp gives the anonymous account of a token to a person with a mail address.
func (l *Ledger) signUp(token, mail string) (Account, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.accounts {
		if a := &l.accounts[i]; slices.Contains(a.Tokens, token) {
			a.Anonymous, a.Mail = false, mail
			return *a, true
		}
	}
	return Account{}, false
}

// announce begins an upload and reports whether there is room for it.
func (l *Ledger) announce(id string, total int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if total < 0 || total > maxUpload || len(l.order) >= maxUploads {
		return false
	}
	if l.uploads == nil {
		l.uploads = map[string]*Upload{}
	}
	l.uploads[id] = &Upload{ID: id, Total: total}
	l.order = append(l.order, id)
	return true
}

// piece adds a piece at an offset and reports whether it fits.
func (l *Ledger) piece(id string, offset int64, b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.uploads[id]
	if u == nil || offset != u.have || offset+int64(len(b)) > u.Total {
		return false
	}
	u.data = append(u.data, b...)
	u.have += int64(len(b))
	u.Pieces++
	return true
}

func (l *Ledger) faces(id string, points int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u := l.uploads[id]; u != nil {
		u.Faces = points
	}
}

// hostOf is a Host header without its port.
func hostOf(r *http.Request) string {
	host, _, _ := strings.Cut(r.Host, ":")
	return host
}
