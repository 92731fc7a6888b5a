package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/internal/corpus"
)

// trackharFolder holds the script that runs trackhar, and its lock file.
const trackharFolder = "bench/trackhar"

// trackharVersion is the one that package.json there names.
const trackharVersion = "1.0.0"

// The HAR that both are given.
const (
	harEntries = 1000
	indicators = 50
)

// entryFound is an identifier in an entry of a HAR.
type entryFound struct {
	entry int
	value string
}

// measureTrackHAR has both search the same HAR. Ours is timed as a whole program, from its
// start to its last finding; trackhar for its matching alone, and as a whole program.
func measureTrackHAR(ctx context.Context, l *lab) error {
	program, err := l.program(ctx)
	if err != nil {
		return err
	}
	values := identities(indicators)
	har, ids, asked := filepath.Join(l.dir, "traffic.har"), filepath.Join(l.dir, "ids.json"), filepath.Join(l.dir, "indicators.json")
	entries, rounds := harEntries, 3
	if l.quick {
		entries, rounds = entries/10, 1
	}
	planted, err := writeHAR(har, values, entries)
	if err != nil {
		return err
	}
	properties := map[string]string{}
	for i, c := range values {
		properties["p"+strconv.Itoa(i)] = c.Value
	}
	if err := errors.Join(writeJSON(ids, values), writeJSON(asked, properties)); err != nil {
		return err
	}
	var ours, matching, whole []float64
	for range rounds {
		took, found, err := scan(ctx, program, har, ids)
		if err != nil {
			return err
		}
		ours = append(ours, took.Seconds())
		began := time.Now()
		theirMatching, theirs, err := l.trackhar(ctx, har, asked, values)
		if err != nil {
			return err
		}
		whole = append(whole, time.Since(began).Seconds())
		matching = append(matching, theirMatching.Seconds())
		if len(theirs) < len(planted)/3 { // it does not find all base64, nor what was encoded twice
			return fmt.Errorf("trackhar found %d of %d that were planted: it was not asked in the right way", len(theirs), len(planted))
		}
		for f := range theirs {
			if !found[f] {
				return fmt.Errorf("trackhar found %q in entry %d, ours did not", f.value, f.entry)
			}
		}
		for f := range planted {
			if !found[f] {
				return fmt.Errorf("%q was planted in entry %d, ours did not find it", f.value, f.entry)
			}
		}
		for f := range found {
			if !planted[f] {
				return fmt.Errorf("ours found %q in entry %d, where it was not planted", f.value, f.entry)
			}
		}
	}
	what := fmt.Sprintf("scan of a HAR, %s requests of 20 KB, %d values", number(float64(entries)), indicators)
	each := func(seconds []float64) float64 { return float64(entries) / median(seconds) }
	l.table.ratio(what, "requests/s", "trackhar's matching alone", each(ours), each(matching), 20)
	l.table.seen(what, "requests/s", "trackhar, the whole program", each(ours), each(whole))
	return nil
}

// program builds unasked.
func (l *lab) program(ctx context.Context) (string, error) {
	path := filepath.Join(l.dir, "unasked")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/unasked")
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build unasked: %w: %s", err, out)
	}
	return path, nil
}

// scan runs ours over a HAR and reads what it found.
func scan(ctx context.Context, program, har, ids string) (took time.Duration, found map[entryFound]bool, err error) {
	cmd := exec.CommandContext(ctx, program, "scan", har, "--identities", ids, "--json")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err = cmd.Run()
	took = time.Since(began)
	// 1 and 2 are verdicts on the traffic.
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 2) {
		err = nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("unasked scan: %w: %s", err, errs.Bytes())
	}
	found = map[entryFound]bool{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var f struct {
			Claim string `json:"claim"`
			Entry int    `json:"entry"`
			Value string `json:"value"`
		}
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return 0, nil, fmt.Errorf("unasked scan printed %q: %w", lines.Bytes(), err)
		}
		if f.Value != "" {
			found[entryFound{f.Entry, f.Value}] = true
		}
	}
	return took, found, nil
}

// trackhar runs the peer and gives the time that it took for matching alone.
func (l *lab) trackhar(ctx context.Context, har, asked string, values []canary.Canary) (time.Duration, map[entryFound]bool, error) {
	cmd := exec.CommandContext(ctx, "node", filepath.Join(l.root, trackharFolder, "match.mjs"), har, asked)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return 0, nil, fmt.Errorf("trackhar: %w: %s: install it with npm ci in %s", err, errs.Bytes(), trackharFolder)
	}
	var result struct {
		Took  float64 `json:"took"` // ms
		Found []struct {
			Entry    int    `json:"entry"`
			Property string `json:"property"`
		} `json:"found"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, nil, fmt.Errorf("trackhar printed %.200q: %w", out, err)
	}
	found := map[entryFound]bool{}
	for _, f := range result.Found {
		i, err := strconv.Atoi(f.Property[1:])
		if err != nil || i < 0 || i >= len(values) {
			return 0, nil, fmt.Errorf("trackhar found a property %q that it was not given", f.Property)
		}
		found[entryFound{f.Entry, values[i].Value}] = true
	}
	return time.Duration(result.Took * float64(time.Millisecond)), found, nil
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// writeHAR writes requests of 20 KB. Every second holds a value, in the ways that trackhar
// looks for: plain, in base64, URL-encoded; in the body, the path or a header.
func writeHAR(path string, values []canary.Canary, entries int) (planted map[entryFound]bool, err error) {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	bodies := corpus.New(2)
	planted = map[entryFound]bool{}
	var list []any
	for i := range entries {
		target, headers := "https://api.service.example/v1/events?n="+strconv.Itoa(i), []pair{{"User-Agent", "okhttp/4.12.0"}, {"Content-Type", "application/json"}}
		note := "none"
		if i%2 == 0 {
			value := values[i/2%len(values)].Value
			planted[entryFound{i, value}] = true
			text := value
			switch i / 2 % 3 {
			case 1:
				text = base64.StdEncoding.EncodeToString([]byte(value))
			case 2:
				text = url.QueryEscape(value)
			}
			switch i / 6 % 4 {
			case 1:
				target += "&id=" + url.QueryEscape(text)
			case 3:
				headers = append(headers, pair{"X-Device", text})
			default:
				note = text
			}
		}
		body := fmt.Sprintf(`{"note":%q,"batch":%s}`, note, bodies.Events(corpus.BodySize))
		list = append(list, map[string]any{
			"startedDateTime": time.Date(2026, 1, 31, 12, 0, 0, i*1e6, time.UTC).Format(time.RFC3339Nano), "time": 12,
			"request": map[string]any{
				"method": "POST", "url": target, "httpVersion": "HTTP/2", "headers": headers, "cookies": []pair{}, "queryString": []pair{},
				"headersSize": -1, "bodySize": len(body), "postData": map[string]any{"mimeType": "application/json", "text": body},
			},
			"response": map[string]any{
				"status": 204, "statusText": "", "httpVersion": "HTTP/2", "headers": []pair{}, "cookies": []pair{}, "redirectURL": "",
				"headersSize": -1, "bodySize": 0, "content": map[string]any{"size": 0, "mimeType": ""},
			},
			"cache": map[string]any{}, "timings": map[string]any{"send": 1, "wait": 10, "receive": 1},
		})
	}
	return planted, writeJSON(path, map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]any{"name": "bench", "version": "1"}, "entries": list,
	}})
}
