package android

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// settings are the values of the settings provider, in its three namespaces.
type settings struct {
	mu     sync.Mutex
	values map[string]map[string]string
}

// namespaces of the settings provider.
const (
	settingsSystem = "system"
	settingsSecure = "secure"
	settingsGlobal = "global"
)

func newSettings(androidID string) *settings {
	return &settings{values: map[string]map[string]string{
		settingsSystem: {
			"accelerometer_rotation": "0", "font_scale": "1.0", "screen_brightness": "102",
			"screen_off_timeout": "60000", "time_12_24": "24", "user_rotation": "0",
		},
		settingsSecure: {
			"android_id": androidID, "backup_enabled": "1", "bluetooth_name": "unasked embedded device",
			"default_input_method": "org.unasked.home/.Keyboard", "location_mode": "3",
			"show_ime_with_hard_keyboard": "0", "spell_checker_enabled": "0",
			"user_setup_complete": "1", "limit_ad_tracking": "0",
		},
		settingsGlobal: {
			"adb_enabled": "1", "airplane_mode_on": "0", "animator_duration_scale": "1.0",
			"auto_time": "1", "auto_time_zone": "1", "boot_count": "1", "device_name": "unasked embedded device",
			"development_settings_enabled": "1", "device_provisioned": "1", "mobile_data": "1",
			"private_dns_mode": "off", "stay_on_while_plugged_in": "1",
			"transition_animation_scale": "1.0", "window_animation_scale": "1.0", "wifi_on": "1",
		},
	}}
}

// get returns a setting.
func (s *settings) get(namespace, name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[namespace][name]
	return v, ok
}

// put sets a setting. The proxy is one setting to write and three to read, as
// the connectivity service keeps them.
func (s *settings) put(namespace, name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[namespace][name] = value
	if namespace == settingsGlobal && name == "http_proxy" {
		host, port, err := net.SplitHostPort(value)
		if err != nil || host == "" {
			host, port = "", "0"
		}
		s.values[namespace]["global_http_proxy_host"] = host
		s.values[namespace]["global_http_proxy_port"] = port
	}
}

// remove deletes a setting and reports whether it was there.
func (s *settings) remove(namespace, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.values[namespace][name]
	delete(s.values[namespace], name)
	return ok
}

// list is one namespace in the form of "settings list".
func (s *settings) list(namespace string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.values[namespace])) {
		fmt.Fprintf(&b, "%s=%s\n", name, s.values[namespace][name])
	}
	return b.String()
}

// proxy is the HTTP proxy in force as "host:port", or "". The two single
// settings are what Android goes by: deleting http_proxy alone takes nothing back.
func (s *settings) proxy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	host, port := s.values[settingsGlobal]["global_http_proxy_host"], s.values[settingsGlobal]["global_http_proxy_port"]
	if host == "" || port == "" || port == "0" {
		return ""
	}
	return net.JoinHostPort(host, port)
}
