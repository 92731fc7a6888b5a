package device

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// ErrNotCounted says that the device doesn't tell how many bytes an app moved.
var ErrNotCounted = errors.New("the device doesn't tell how many bytes the app sent and received")

const netstats = "dumpsys netstats detail"

// Counters returns the bytes that the kernel counted for an app's uid. The
// error wraps [ErrNotCounted] where the device doesn't tell.
func (d *Device) Counters(ctx context.Context, uid int) (evidence.Counters, error) {
	out, err := d.shell(ctx, netstats)
	if err != nil {
		return evidence.Counters{}, fmt.Errorf("counters of uid %d: %w", uid, err)
	}
	c, ok := parseUIDMap(out, uid)
	if ok {
		return c, nil
	}
	// The history is written now and then; a poll brings it up to date.
	if _, err := d.shell(ctx, "dumpsys netstats --poll"); err == nil {
		if out, err = d.shell(ctx, netstats); err != nil {
			return evidence.Counters{}, fmt.Errorf("counters of uid %d: %w", uid, err)
		}
	}
	if c, ok = parseUIDHistory(out, uid); ok {
		return c, nil
	}
	// Before Android 9 the kernel's own table can be read.
	if out, err = d.shell(ctx, "cat /proc/net/xt_qtaguid/stats"); err == nil {
		if c, ok = parseTagUID(out, uid); ok {
			return c, nil
		}
	}
	return evidence.Counters{}, fmt.Errorf("counters of uid %d: %w", uid, ErrNotCounted)
}

// parseUIDMap reads the kernel's map of apps, which dumpsys prints from Android
// 13 on: rows of uid, received bytes and packets, sent bytes and packets. An
// app without a row has moved nothing.
func parseUIDMap(out string, uid int) (evidence.Counters, bool) {
	c := evidence.Counters{UID: uid, Source: netstats + ", mAppUidStatsMap"}
	inside, found := false, false
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "mAppUidStatsMap:" {
			inside, found = true, true
			continue
		}
		if !inside {
			continue
		}
		f := strings.Fields(line)
		if len(f) > 0 && f[0] == "uid" {
			continue
		}
		v, ok := numbers(f)
		if !ok || len(v) != 5 {
			inside = false
			continue
		}
		if v[0] == uint64(uid) {
			c.Received, c.Sent = v[1], v[3]
		}
	}
	return c, found
}

var (
	historyHead = regexp.MustCompile(`\buid=(-?\d+) set=(\S+) tag=0x([0-9a-fA-F]+)`)
	// Older Androids write the names in full.
	historyRow = regexp.MustCompile(`\b(?:rb|rxBytes)=(\d+) .*\b(?:tb|txBytes)=(\d+)`)
)

// parseUIDHistory adds up the history of an app's uid over networks and sets.
// Rows of another tag than 0 are parts of those of tag 0 and must not be added.
func parseUIDHistory(out string, uid int) (evidence.Counters, bool) {
	c := evidence.Counters{UID: uid, Source: netstats + ", UID stats"}
	section, ours := false, false
	found := false
	for line := range strings.Lines(out) {
		text := strings.TrimSpace(line)
		switch {
		case text == "UID stats:":
			section, found, ours = true, true, false
		case section && strings.HasSuffix(text, " stats:"):
			section, ours = false, false
		}
		if !section {
			continue
		}
		if m := historyHead.FindStringSubmatch(text); m != nil {
			tag, _ := strconv.ParseUint(m[3], 16, 64)
			ours = m[1] == strconv.Itoa(uid) && tag == 0
			continue
		}
		if m := historyRow.FindStringSubmatch(text); m != nil && ours {
			rx, err1 := strconv.ParseUint(m[1], 10, 64)
			tx, err2 := strconv.ParseUint(m[2], 10, 64)
			if err1 == nil && err2 == nil {
				c.Received += rx
				c.Sent += tx
			}
		}
	}
	return c, found
}

// parseTagUID reads the table of the kernel module xt_qtaguid: idx iface
// acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes …
func parseTagUID(out string, uid int) (evidence.Counters, bool) {
	c := evidence.Counters{UID: uid, Source: "/proc/net/xt_qtaguid/stats"}
	found := false
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		if f[0] == "idx" {
			found = true
			continue
		}
		if f[2] != "0x0" || f[3] != strconv.Itoa(uid) {
			continue
		}
		if v, ok := numbers([]string{f[5], f[7]}); ok {
			c.Received += v[0]
			c.Sent += v[1]
		}
	}
	return c, found
}

func numbers(fields []string) ([]uint64, bool) {
	v := make([]uint64, len(fields))
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return nil, false
		}
		v[i] = n
	}
	return v, len(v) > 0
}
