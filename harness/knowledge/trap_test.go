package knowledge

import "testing"

// What many devices share is no canary, and what looks much like it is one.
func TestRefuse(t *testing.T) {
	traps := embeddedBase(t).Traps
	for _, c := range []struct{ name, refused, taken string }{
		{"eight digits", "12345679", "193847562"},
		{"eight digits with separators", "12-34-56-79", "193-84-75-62"},
		{"a short text", "Li Wu 7", "Li Wu 77x"},
		{"one character over and over", "aaaaaaaaaaaaaaaa", "a1b2c3d4e5f60718"},
		{"the zeroed advertising id", "00000000-0000-0000-0000-000000000000", "00000000-0000-4000-8000-0000deadbeef"},
		{"the zeroed advertising id, bare", "00000000000000000000000000000000", "0000000000004000800000000deadbeef"},
		{"the Android ID of a broken release", "9774d56d682e549c", "9774d56d682e549d"},
		{"the same in capitals", "9774D56D682E549C", "9774D56D682E549D"},
		{"the MAC address for everybody", "02:00:00:00:00:00", "02:00:00:1c:4f:07"},
		{"an emulator's IMEI", "358240051111110", "358240051111128"},
		{"an emulator's serial number", "EMULATOR35X2X10X0", "99185BCL8375LS"},
		{"nobody", "anonymous", "anonymous-7391"},
		{"a push token", "APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_PK3cQ9vjw8dVf2WsqT6yXz0aBcDeFgHiJkLmNoP", "APA91bHun4Mx"},
		{"an API key", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaSyA12345"},
		{"a model", "Pixel 7 Pro", "Pixel of Mira 7"},
		{"a model of another maker", "SM-G991B", "SM-G991B of Mira"},
		{"an emulator's model", "sdk_gphone64_x86_64", "gphone64 of Mira"},
		{"a locale", "zh-Hans-CN", "zh-Hans-7391"},
		{"a version", "12.34.56.7890-beta", "12.345678,77.654321"},
		{"a word", "application", "applic4tion-7391"},
		{"a password that is a word", "password", "correct horse 7391"},
		{"a domain for examples", "example.com", "mira-7391.example.test"},
		{"an address for examples", "test@example.com", "marigold.kestrel77@example.org"},
		{"a time zone", "Europe/Berlin", "Europe in Berlin 7391"},
		{"a product", "okhttp/4.12.0", "okhttp of Mira 4.12"},
		{"a time", "1700000000123", "4915208817342"},
		{"a date", "2026-11-24T00:28:13Z", "+14155550178"},
		{"an address of a network", "10.0.0.1", "10.100000,0.123456"},
		{"a sequence", "0123456789", "0192837465"},
	} {
		if traps.Refuse(c.refused) == "" {
			t.Errorf("%s: %q is taken for a canary", c.name, c.refused)
		}
		if why := traps.Refuse(c.taken); why != "" {
			t.Errorf("%s: %q is refused: %s", c.name, c.taken, why)
		}
	}
}
