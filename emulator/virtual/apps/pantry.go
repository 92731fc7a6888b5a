package apps

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// pantryOrigins are Pantry's own services, and Firebase's two that it uses once the person has accepted.
func pantryOrigins(l *Ledger) ([]origin, error) {
	p := &pantry{ledger: l}
	b, err := content.ReadFile("pantry/service/recipes.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &p.recipes); err != nil {
		return nil, fmt.Errorf("recipes.json: %w", err)
	}

	api := http.NewServeMux()
	api.Handle("GET /v1/recipes", endpoint(p.list))
	api.Handle("GET /v1/config", endpoint(p.config))
	api.Handle("POST /v1/ping", endpoint(p.ping))
	api.Handle("GET /v1/form", endpoint(p.form))
	api.Handle("POST /v1/accounts", endpoint(p.signUp))
	api.Handle("GET /v1/me", endpoint(p.me))

	installations := http.NewServeMux()
	installations.Handle("POST /v1/projects/{project}/installations", endpoint(p.install))
	remote := http.NewServeMux()
	remote.Handle("POST /v1/projects/{project}/namespaces/{call}", endpoint(p.remoteConfig))

	return []origin{
		{"api.pantry.example", open(api)},
		{"www.pantry.example", open(website("Pantry", l.signedUp))},
		{"cdn.pantry.example", open(pictures(l, "pantry"))},
		{"firebaseinstallations.googleapis.com", open(installations)},
		{"firebaseremoteconfig.googleapis.com", open(remote)},
	}, nil
}

// pantry is the state of Pantry's services. Without a sign-up they know nobody.
type pantry struct {
	ledger  *Ledger
	recipes []map[string]any
}

// recipesPage is how many recipes a page holds.
const recipesPage = 4

// list is a page of recipes. The cursor is long and opaque, is sent back, and is the same for everyone.
func (p *pantry) list(w http.ResponseWriter, r *http.Request) (any, error) {
	got := map[string]string{"cookie": r.Header.Get("Cookie"), "authorization": r.Header.Get("Authorization")}
	p.ledger.add(r, PurposeContent, got)
	const second = "eyJzb3J0IjoiZnJlc2giLCJhZnRlciI6IjAxSEtRN1dNM1kifQ" // {"sort":"fresh","after":"01HKQ7WM3Y"}
	w.Header().Set("X-Trace-Id", hexID(16))
	out := map[string]any{"items": p.recipes[:min(recipesPage, len(p.recipes))], "next_cursor": second}
	switch r.FormValue("cursor") {
	case "":
	case second:
		out = map[string]any{"items": p.recipes[min(recipesPage, len(p.recipes)):]}
	default:
		return nil, failure{http.StatusBadRequest, "unknown cursor"}
	}
	return out, nil
}

// config is the app's configuration: long ids that are the same for everyone, a test group that says nothing.
func (p *pantry) config(w http.ResponseWriter, r *http.Request) (any, error) {
	p.ledger.add(r, PurposeContent, map[string]string{"cookie": r.Header.Get("Cookie")})
	w.Header().Set("ETag", `"5f0b6c1e9d3a47f28c44"`)
	return map[string]any{
		"config_id":   "c2b7b5c4-64a1-4d0e-9b2f-7f0e1d9c8a35",
		"published":   "2024-01-16T09:00:00Z",
		"experiments": map[string]string{"home_layout": "B", "cook_mode": "control"},
		"flags":       map[string]bool{"video_notes": true, "meal_plan": false},
	}, nil
}

// ping answers with what it was sent, so that the app can tell a network from a hotel's login page.
func (p *pantry) ping(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	p.ledger.add(r, PurposeContent, map[string]string{"nonce": in.at("nonce")})
	return map[string]any{"nonce": in.at("nonce"), "server_time": time.Now().Unix()}, nil
}

// form hands out the token that protects the sign-up form against forgery. It stands for one form, not for a person.
func (p *pantry) form(_ http.ResponseWriter, r *http.Request) (any, error) {
	p.ledger.add(r, PurposeContent, map[string]string{})
	return map[string]any{"csrf_token": opaque(24), "fields": []string{"name", "email", "password"}}, nil
}

// signUp creates an account from what the person typed, and only from that.
func (p *pantry) signUp(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	name, mail := strings.TrimSpace(in.at("name")), strings.ToLower(strings.TrimSpace(in.at("email")))
	switch {
	case name == "" || !strings.Contains(mail, "@"):
		return nil, failure{http.StatusUnprocessableEntity, "A name and a mail address are needed."}
	case len(in.at("password")) < 8:
		return nil, failure{http.StatusUnprocessableEntity, "The password needs 8 characters or more."}
	case r.Header.Get("X-CSRF-Token") == "":
		return nil, failure{http.StatusForbidden, "The form is too old. Open it again."}
	}
	a, token, isNew := p.ledger.account(mail, false, func() Account {
		return Account{ID: snowflake(), Username: name, Created: time.Now().UTC()}
	})
	if a.ID == "" {
		return nil, errFull
	}
	p.ledger.add(r, PurposeSignUp, map[string]string{"email": mail, "name": name, "account": a.ID})
	if !isNew {
		return nil, failure{http.StatusConflict, "There is an account with this mail address."}
	}
	return map[string]any{"user": profile(a), "access_token": token, "token_type": "Bearer"}, nil
}

func profile(a Account) map[string]any {
	return map[string]any{"id": a.ID, "name": a.Username, "email": a.Key, "created_at": a.Created.Format(time.RFC3339)}
}

func (p *pantry) me(_ http.ResponseWriter, r *http.Request) (any, error) {
	a, ok := p.ledger.byToken(bearer(r))
	p.ledger.add(r, PurposeFeed, map[string]string{"account": a.ID})
	if !ok {
		return nil, failure{http.StatusUnauthorized, "unknown token"}
	}
	return map[string]any{"user": profile(a)}, nil
}

// install issues an installation id as Firebase Installations does (v1, "create"). It stands for this copy of the app.
func (p *pantry) install(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	fid := in.at("fid")
	if in.at("authVersion") != "FIS_v2" || len(fid) != 22 {
		return nil, failure{http.StatusBadRequest, "no FIS_v2 request with a fid"}
	}
	p.ledger.add(r, PurposeInstall, map[string]string{"fid": fid})
	return map[string]any{
		"name":         "projects/481516234200/installations/" + fid,
		"fid":          fid,
		"refreshToken": "3_" + opaque(64),
		"authToken":    map[string]string{"token": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9." + opaque(60) + "." + opaque(64), "expiresIn": "604800s"},
	}, nil
}

func (p *pantry) remoteConfig(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	p.ledger.add(r, PurposeInstall, map[string]string{
		"fid": in.at("appInstanceId"), "installation_token": r.Header.Get("X-Goog-Firebase-Installations-Auth"),
	})
	return map[string]any{"state": "UPDATE", "templateVersion": "12", "entries": map[string]string{"welcome_banner": "autumn"}}, nil
}
