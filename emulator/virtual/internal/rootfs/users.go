package rootfs

import (
	"fmt"
	"strconv"
	"strings"
)

// Android's users, as android_filesystem_config.h numbers them.
const (
	Root     = 0
	System   = 1000
	Log      = 1007
	SDCardRW = 1015
	MediaRW  = 1023
	Shell    = 2000
	Inet     = 3003
	Everyone = 9997
	FirstApp = 10000 // app N of the first user is u0_aN; those that are installed start at 10100
)

var userNames = map[int]string{
	Root: "root", 1: "daemon", 2: "bin", System: "system", 1001: "radio", 1002: "bluetooth", 1003: "graphics",
	1004: "input", 1005: "audio", 1006: "camera", Log: "log", 1010: "wifi", 1011: "adb", 1012: "install",
	1013: "media", 1014: "dhcp", SDCardRW: "sdcard_rw", 1017: "keystore", 1021: "gps", MediaRW: "media_rw",
	1027: "nfc", 1028: "sdcard_r", 1032: "package_info", 1036: "logd", 1041: "audioserver", 1047: "cameraserver",
	1051: "dns", 1066: "statsd", 1078: "ext_data_rw", 1079: "ext_obb_rw", Shell: "shell", 2001: "cache",
	3001: "net_bt_admin", 3002: "net_bt", Inet: "inet", 3006: "net_bw_stats", 3009: "readproc", 3011: "uhid",
	3012: "readtracefs", Everyone: "everybody", 9998: "misc", 9999: "nobody",
}

// UserName is a user's or group's name as Android prints it, such as u0_a100
// for 10100, or its number where it has none.
func UserName(id int) string {
	if name, ok := userNames[id]; ok {
		return name
	}
	user, app := id/100000, id%100000
	switch {
	case app >= 10000 && app < 20000:
		return fmt.Sprintf("u%d_a%d", user, app-10000)
	case app >= 20000 && app < 30000:
		return fmt.Sprintf("u%d_a%d_cache", user, app-20000)
	case app >= 50000 && app < 60000:
		return fmt.Sprintf("all_a%d", app-50000)
	case app >= 99000 && app < 100000:
		return fmt.Sprintf("u%d_i%d", user, app-99000)
	}
	return strconv.Itoa(id)
}

// ParseUser is the number of a user's or group's name or number.
func ParseUser(name string) (int, bool) {
	if n, err := strconv.Atoi(name); err == nil && n >= 0 {
		return n, true
	}
	for id, known := range userNames {
		if known == name {
			return id, true
		}
	}
	var user, app int
	if n, err := fmt.Sscanf(name, "u%d_a%d", &user, &app); n == 2 && err == nil && !strings.HasSuffix(name, "_cache") &&
		user >= 0 && app >= 0 && app < 10000 {
		return user*100000 + 10000 + app, true
	}
	return 0, false
}

// groupsOf are the groups that Android gives to a user besides its own.
func groupsOf(uid int) []int {
	switch {
	case uid == Shell:
		return []int{1004, Log, 1011, SDCardRW, 1028, 1078, 1079, 3001, 3002, Inet, 3006, 3009, 3011, 3012}
	case uid == System:
		return []int{1001, 1010, SDCardRW, MediaRW, Inet, 9998}
	case uid == MediaRW, uid == 1013:
		return []int{SDCardRW, MediaRW}
	case uid >= FirstApp:
		return []int{Inet, Everyone}
	}
	return nil
}

// Groups are a user's groups besides its own, as id prints them.
func Groups(uid int) []int { return groupsOf(uid) }
