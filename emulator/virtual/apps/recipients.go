package apps

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// The three companies that ClipShare sends identifiers to. Each understands the
// disguise that its own code in the app puts on.

// crash is Bugly's collector: JSON, compressed with gzip and labelled so.
func (c *clipshare) crash(_ http.ResponseWriter, r *http.Request) (any, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, failure{http.StatusBadRequest, "the body is no gzip"}
		}
		body = io.LimitReader(z, maxBody)
	}
	in, err := object(body)
	if err != nil {
		return nil, err
	}
	c.ledger.add(r, PurposeCrash, map[string]string{
		"ssaid": in.at("device", "androidId"), "advertising_id": in.at("device", "gaid"), "consent": in.at("state", "consent"),
	})
	return map[string]any{"rtCode": 0}, nil
}

// analytics is Umeng's: a form whose field "content" is JSON in base64.
func (c *clipshare) analytics(_ http.ResponseWriter, r *http.Request) (any, error) {
	raw, err := base64.StdEncoding.DecodeString(r.PostFormValue("content"))
	if err != nil {
		return nil, failure{http.StatusBadRequest, "content is no base64"}
	}
	in, err := object(strings.NewReader(string(raw)))
	if err != nil {
		return nil, err
	}
	c.ledger.add(r, PurposeAnalytics, map[string]string{
		"ssaid": in.at("header", "android_id"), "advertising_id": in.at("header", "gaid"), "consent": in.at("header", "consent"),
	})
	return map[string]any{"success": "ok"}, nil
}

// bid is an advertising exchange: all that it wants stands in the address.
func (c *clipshare) bid(_ http.ResponseWriter, r *http.Request) (any, error) {
	got := map[string]string{"email_sha256": r.FormValue("he"), "consent": r.FormValue("gdpr_consent")}
	if lat, lon := r.FormValue("lat"), r.FormValue("lon"); lat != "" && lon != "" {
		got["location"] = lat + "," + lon
	}
	c.ledger.add(r, PurposeAds, got)
	c.mu.Lock()
	if hash := got["email_sha256"]; len(hash) == 2*sha256.Size && len(c.matched) < maxEntries {
		c.matched[hash] = true
	}
	c.mu.Unlock()
	return map[string]any{"id": r.FormValue("rid"), "nbr": 2}, nil // no bid; the id is an echo
}
