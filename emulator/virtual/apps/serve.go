package apps

import (
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// The services' pictures and feeds: what is the same for everyone.
//
//go:embed clipshare/service pantry/service
var content embed.FS

// origin is one host with what answers for it.
type origin struct {
	host    string
	handler http.Handler
}

// maxBody bounds a request's body, in bytes.
const maxBody = 8 << 20

// open lets a page of another origin talk to the service, as a native app could
// anyway (Fetch Standard, section 3.2), and bounds what it may send.
func open(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		if from := r.Header.Get("Origin"); from != "" {
			header.Set("Access-Control-Allow-Origin", from)
			header.Set("Access-Control-Allow-Credentials", "true")
			header.Add("Vary", "Origin")
		}
		if r.Method == http.MethodOptions {
			header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
			if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
				header.Set("Access-Control-Allow-Headers", asked)
			}
			header.Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}

// failure is an answer other than 200.
type failure struct {
	status int
	text   string
}

func (f failure) Error() string { return f.text }

var errFull = failure{http.StatusServiceUnavailable, "no more accounts"}

// endpoint answers with JSON, or with a failure.
type endpoint func(w http.ResponseWriter, r *http.Request) (any, error)

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := e(w, r)
	if err != nil {
		status := http.StatusBadRequest
		var f failure
		if errors.As(err, &f) {
			status = f.status
		}
		answer(w, status, map[string]any{"error": err.Error()})
		return
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, http.StatusOK, out)
}

func answer(w http.ResponseWriter, status int, out any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the client went away: nobody is left to tell
}

// object reads a JSON object.
func object(r io.Reader) (fields, error) {
	var out fields
	d := json.NewDecoder(r)
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return nil, failure{http.StatusBadRequest, "the body is no JSON object: " + err.Error()}
	}
	return out, nil
}

// fields is a JSON object.
type fields map[string]any

// at is the text at a path of names, "" where there is none.
func (f fields) at(names ...string) string {
	var v any = map[string]any(f)
	for _, n := range names {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[n]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// bearer is the token of a request.
func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// opaque is n random bytes in base64url, as tokens look.
func opaque(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// hexID is n random bytes in hexadecimal, as trace ids look.
func hexID(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// snowflake is a random number of 19 digits that begins with 7, as large services number people and devices.
func snowflake() string {
	var b [8]byte
	rand.Read(b[:])
	return strconv.FormatUint(7_000_000_000_000_000_000+binary.LittleEndian.Uint64(b[:])%1_000_000_000_000_000_000, 10)
}

// pictures serves the pictures of an app the way a CDN does: with an entity tag,
// a trace id that nobody sends back, and a cookie against bots that every client gets and sends back, and that
// stands for no account.
func pictures(ledger *Ledger, app string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ledger.add(r, PurposeContent, map[string]string{"cookie": r.Header.Get("Cookie")})
		name := path.Base(r.URL.Path)
		b, err := content.ReadFile(app + "/service/" + name)
		if err != nil || path.Ext(name) != ".svg" {
			http.NotFound(w, r)
			return
		}
		if _, err := r.Cookie("__cf_bm"); err != nil {
			http.SetCookie(w, &http.Cookie{
				Name: "__cf_bm", Value: opaque(32) + "-1.0.1.1-" + opaque(48), Path: "/",
				MaxAge: 1800, Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
			})
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("ETag", `"`+strconv.Itoa(len(b))+`-pic"`)
		w.Header().Set("CF-RAY", hexID(8)+"-FRA")
		w.Header().Set("Cache-Control", "private, max-age=20")
		_, _ = w.Write(b)
	})
}
