package apps

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clipshareOrigins are ClipShare's own services and those of the three companies that it sends identifiers to.
func clipshareOrigins(l *Ledger) ([]origin, error) {
	c := &clipshare{ledger: l, devices: map[string]string{}, matched: map[string]bool{}}
	feed, err := content.ReadFile("clipshare/service/feed.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(feed, &c.feed); err != nil {
		return nil, fmt.Errorf("feed.json: %w", err)
	}

	api := http.NewServeMux()
	api.Handle("POST /v1/users/anonymous", endpoint(c.anonymous))
	api.Handle("POST /v1/users/signup", endpoint(c.signUp))
	api.Handle("GET /v1/feed", endpoint(c.videos))
	api.Handle("POST /v1/consent", endpoint(c.consent))
	api.Handle("POST /v1/drafts", endpoint(c.draft))
	api.Handle("POST /v1/effects/face", endpoint(c.face))

	log := http.NewServeMux()
	log.Handle("POST /service/2/device_register/", endpoint(c.register))
	log.Handle("POST /service/2/app_log/", endpoint(c.heartbeat))

	upload := http.NewServeMux()
	upload.Handle("PUT /v1/drafts/{draft}/parts/{part}", endpoint(c.part))

	return []origin{
		{"api.clipshare.example", open(api)},
		{"log.clipshare.example", open(log)},
		{"upload.clipshare.example", open(upload)},
		{"cdn.clipshare.example", open(pictures(l, "clipshare"))},
		{"android.bugly.qq.com", open(endpoint(c.crash))},
		{"ulogs.umeng.com", open(endpoint(c.analytics))},
		{"bid.adreach.example", open(endpoint(c.bid))},
		{"www.clipshare.example", open(website("ClipShare", c.knows))},
	}, nil
}

// clipshare is the state of ClipShare's services.
type clipshare struct {
	ledger *Ledger
	feed   []map[string]any

	mu      sync.Mutex
	devices map[string]string // device id by openudid, which is the SSAID
	matched map[string]bool   // hashes of mail addresses that the exchange heard of, and passed on
}

// register issues a device id, in the shape of ByteDance's device_register. The same SSAID gets the same id back.
func (c *clipshare) register(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	ssaid := in.at("header", "openudid")
	if in.at("magic_tag") != "ss_app_log" || ssaid == "" {
		return nil, failure{http.StatusBadRequest, "no ss_app_log with an openudid"}
	}
	c.mu.Lock()
	id, known := c.devices[ssaid]
	if !known && len(c.devices) < maxEntries {
		id = snowflake()
		c.devices[ssaid] = id
	}
	c.mu.Unlock()
	c.ledger.add(r, PurposeDevice, map[string]string{
		"ssaid": ssaid, "advertising_id": in.at("header", "google_aid"), "device_name": in.at("header", "device_name"), "device_id": id,
	})
	isNew := 1
	if known {
		isNew = 0
	}
	install := snowflake()
	return map[string]any{
		"server_time": time.Now().Unix(), "new_user": isNew,
		"device_id": json.Number(id), "device_id_str": id,
		"install_id": json.Number(install), "install_id_str": install,
		"device_token": "AAA" + opaque(27),
	}, nil
}

// anonymous opens an account for whoever has this SSAID, or hands the old one back.
func (c *clipshare) anonymous(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	ssaid := in.at("device_uid")
	if ssaid == "" {
		return nil, failure{http.StatusBadRequest, "device_uid is missing"}
	}
	a, token, isNew := c.ledger.account(ssaid, true, func() Account {
		id := snowflake()
		return Account{ID: id, Username: "clipper_" + id[len(id)-8:], Created: time.Now().UTC()}
	})
	if a.ID == "" {
		return nil, errFull
	}
	c.ledger.add(r, PurposeAccount, map[string]string{"ssaid": ssaid, "account": a.ID, "is_new": strconv.FormatBool(isNew)})
	return map[string]any{
		"user": map[string]any{
			"id": a.ID, "username": a.Username, "is_anonymous": true, "is_new": isNew,
			"created_at": a.Created.Format(time.RFC3339), "followers": 0, "avatar": "https://cdn.clipshare.example/avatars/blank.svg",
		},
		"token_type": "Bearer", "access_token": token, "expires_in": 2592000,
		"request_nonce": in.at("nonce"), // an echo of what the app made: nothing minted here
	}, nil
}

// signUp makes the account that the app has already the person's own: its id stays.
func (c *clipshare) signUp(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	mail := strings.ToLower(strings.TrimSpace(in.at("email")))
	switch {
	case !strings.Contains(mail, "@"):
		return nil, failure{http.StatusUnprocessableEntity, "A mail address is needed."}
	case len(in.at("password")) < 8:
		return nil, failure{http.StatusUnprocessableEntity, "The password needs 8 characters or more."}
	}
	a, ok := c.ledger.signUp(bearer(r), mail)
	if !ok {
		return nil, failure{http.StatusUnauthorized, "unknown token"}
	}
	c.ledger.add(r, PurposeSignUp, map[string]string{"email": mail, "account": a.ID})
	return map[string]any{"user": map[string]any{
		"id": a.ID, "username": a.Username, "email": mail, "is_anonymous": false, "created_at": a.Created.Format(time.RFC3339),
	}}, nil
}

// videos is the feed, for whom the token names.
func (c *clipshare) videos(w http.ResponseWriter, r *http.Request) (any, error) {
	a, ok := c.ledger.byToken(bearer(r))
	c.ledger.add(r, PurposeFeed, map[string]string{"account": a.ID, "device_id": r.FormValue("device_id")})
	if !ok {
		return nil, failure{http.StatusUnauthorized, "unknown token"}
	}
	w.Header().Set("X-Trace-Id", hexID(16))
	return map[string]any{
		"items":   c.feed,
		"cursor":  opaque(18), // points at a place in the list, at nobody
		"request": map[string]string{"nonce": r.Header.Get("X-Request-Nonce"), "device_id": r.FormValue("device_id")},
	}, nil
}

func (c *clipshare) consent(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	a, _ := c.ledger.byToken(bearer(r))
	c.ledger.add(r, PurposeConsent, map[string]string{"choice": in.at("choice"), "account": a.ID})
	return nil, nil
}

func (c *clipshare) heartbeat(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	c.ledger.add(r, PurposeHeartbeat, map[string]string{
		"ssaid": in.at("header", "openudid"), "device_id": in.at("header", "device_id"), "consent": in.at("header", "consent"),
	})
	return map[string]any{"message": "success", "server_time": time.Now().Unix()}, nil
}

// draft announces an upload.
func (c *clipshare) draft(_ http.ResponseWriter, r *http.Request) (any, error) {
	in, err := object(r.Body)
	if err != nil {
		return nil, err
	}
	total, err := strconv.ParseInt(in.at("size"), 10, 64)
	if err != nil {
		return nil, failure{http.StatusBadRequest, "size is no number"}
	}
	id := opaque(12)
	if !c.ledger.announce(id, total) {
		return nil, failure{http.StatusRequestEntityTooLarge, "no room for that draft"}
	}
	a, _ := c.ledger.byToken(bearer(r))
	c.ledger.add(r, PurposeUpload, map[string]string{"draft": id, "size": in.at("size"), "account": a.ID})
	return map[string]any{"draft_id": id, "part_size": 64 << 10, "upload_url": "https://upload.clipshare.example/v1/drafts/" + id}, nil
}

// part takes one piece, which says where it belongs in Content-Range (RFC 9110, section 14.4).
func (c *clipshare) part(_ http.ResponseWriter, r *http.Request) (any, error) {
	var first, last, total int64
	if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total); err != nil {
		return nil, failure{http.StatusBadRequest, "no Content-Range"}
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, failure{http.StatusRequestEntityTooLarge, "the piece is too large"}
	}
	id := r.PathValue("draft")
	if int64(len(b)) != last-first+1 || !c.ledger.piece(id, first, b) {
		return nil, failure{http.StatusConflict, "the piece does not fit"}
	}
	c.ledger.add(r, PurposeUpload, map[string]string{"draft": id, "part": r.PathValue("part"), "bytes": strconv.Itoa(len(b))})
	return map[string]any{"part": r.PathValue("part"), "received": last + 1}, nil
}

// face takes the landmarks of the face in a draft.
func (c *clipshare) face(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Draft     string       `json:"draft_id"`
		Landmarks [][2]float64 `json:"landmarks"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, failure{http.StatusBadRequest, err.Error()}
	}
	c.ledger.faces(in.Draft, len(in.Landmarks))
	c.ledger.add(r, PurposeFace, map[string]string{"draft": in.Draft, "points": strconv.Itoa(len(in.Landmarks))})
	return map[string]any{"effects": []string{"smooth", "warm"}}, nil
}
