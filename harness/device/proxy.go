package device

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// noProxy is the value that makes Android drop a proxy at once. Deleting the
// setting alone doesn't: the framework takes an absent value for "no change".
const noProxy = ":0"

// SetProxy makes the device send its HTTP traffic to HOST:PORT, as seen from the device, and reads it back.
func (d *Device) SetProxy(ctx context.Context, hostport string) error {
	before, err := d.setting(ctx, "global", "http_proxy")
	if err != nil {
		return fmt.Errorf("set proxy of %s: %w", d, err)
	}
	if dead, err := d.deadProxy(ctx, before); err != nil {
		return fmt.Errorf("set proxy of %s: %w", d, err)
	} else if dead {
		before = noProxy
	}
	d.mu.Lock()
	if d.proxy == nil {
		d.proxy = &before
	}
	d.mu.Unlock()
	if err := d.putSetting(ctx, "global", "http_proxy", hostport); err != nil {
		return fmt.Errorf("set proxy of %s to %s: %w", d, hostport, err)
	}
	return nil
}

// ClearProxy takes the proxy back: what was set before SetProxy is set again,
// and no proxy where there was none.
func (d *Device) ClearProxy(ctx context.Context) error {
	d.mu.Lock()
	before := d.proxy
	d.mu.Unlock()
	fail := func(err error) error { return fmt.Errorf("take the proxy of %s back: %w", d, err) }
	if before != nil && *before != "null" && *before != noProxy && *before != "" {
		if err := d.putSetting(ctx, "global", "http_proxy", *before); err != nil {
			return fail(err)
		}
	} else {
		for _, key := range []string{"http_proxy", "global_http_proxy_host", "global_http_proxy_port"} {
			if _, err := d.run(ctx, "settings", "delete", "global", key); err != nil {
				return fail(err)
			}
		}
		if err := d.putSetting(ctx, "global", "http_proxy", noProxy); err != nil {
			return fail(err)
		}
	}
	d.mu.Lock()
	d.proxy = nil
	d.mu.Unlock()
	return nil
}

// deadProxy reports whether a proxy setting names a port of the device's own that
// nothing carries anywhere: what an audit that was killed leaves behind. It is not
// worth taking back.
func (d *Device) deadProxy(ctx context.Context, setting string) (bool, error) {
	host, port, err := net.SplitHostPort(setting)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return false, nil
	}
	reverses, err := d.adb.ListReverses(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range reverses {
		if r.Remote == "tcp:"+port || r.Local == "tcp:"+port {
			return false, nil
		}
	}
	return true, nil
}

// setting reads one of Android's settings; "null" is what it says of one that isn't set.
func (d *Device) setting(ctx context.Context, table, key string) (string, error) {
	out, err := d.run(ctx, "settings", "get", table, key)
	return strings.TrimRight(out, "\r\n"), err
}

// putSetting sets one of Android's settings and reads it back.
func (d *Device) putSetting(ctx context.Context, table, key, value string) error {
	if _, err := d.run(ctx, "settings", "put", table, key, value); err != nil {
		return err
	}
	got, err := d.setting(ctx, table, key)
	if err != nil {
		return err
	}
	if got != value {
		return fmt.Errorf("the device took %s=%q and now says %q", key, value, got)
	}
	return nil
}
