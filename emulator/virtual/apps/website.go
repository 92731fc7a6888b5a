package apps

import (
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
)

// website is a service's website as far as anyone sees it without logging in: a page
// that finds an account by its mail address, and says so, as many do.
func website(name string, knows func(mail string) bool) http.Handler {
	page := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			said := ""
			if answer != "" {
				said = "none"
				if mail := strings.ToLower(strings.TrimSpace(r.PostFormValue("email"))); mail != "" && knows(mail) {
					said = "found"
				}
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			_ = findAccount.Execute(w, map[string]string{"Name": name, "Said": said}) // the client went away: nobody is left to tell
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /find-account", page(""))
	mux.Handle("POST /find-account", page("an answer"))
	return mux
}

var findAccount = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Find your account - {{.Name}}</title>
<h1>Find your account</h1>
{{if eq .Said "found"}}<p role="status">We found your {{.Name}} account. A link to it is on its way to you.</p>
{{else if eq .Said "none"}}<p role="alert">There is no {{.Name}} account with this mail address.</p>
{{end}}<form method="post"><label>Mail address <input id="email" name="email" type="email" required></label> <button>Find</button></form>
</html>
`))

// signedUp reports whether somebody with a mail address, in lower case, signed up.
func (l *Ledger) signedUp(mail string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.accounts {
		if a.Mail == mail || !a.Anonymous && a.Key == mail {
			return true
		}
	}
	return false
}

// knows reports whether ClipShare has an account for a mail address: of somebody who
// signed up, or of somebody whose phone told the exchange the hash of it.
func (c *clipshare) knows(mail string) bool {
	sum := sha256.Sum256([]byte(mail))
	c.mu.Lock()
	matched := c.matched[hex.EncodeToString(sum[:])]
	c.mu.Unlock()
	return matched || c.ledger.signedUp(mail)
}
