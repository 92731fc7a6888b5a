package knowledge

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ids are the ids of SDKs by their index.
func (s *SDKs) ids(of []int) string {
	var out []string
	for _, i := range of {
		out = append(out, s.List[i].ID)
	}
	return strings.Join(out, " ")
}

var onceCarried = sync.OnceValues(func() (*Carried, error) {
	b, err := Embedded()
	if err != nil {
		return nil, err
	}
	return b.Carried()
})

func carried(t *testing.T) *Carried {
	t.Helper()
	c, err := onceCarried()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSDKs(t *testing.T) {
	s := &carried(t).SDKs
	if len(s.List) < 200 {
		t.Errorf("%d SDKs", len(s.List))
	}
	for class, want := range map[string]string{
		// The case's own, and what is nearly they.
		"Lcom/umeng/analytics/MobclickAgent;":           "umeng",
		"Lcom/umeng/a;":                                 "umeng",
		"Lcom/umengx/analytics/MobclickAgent;":          "",
		"Lorg/com/umeng/A;":                             "",
		"Lcom/igexin/sdk/PushManager$1;":                "igexin",
		"Lcom/igexins/sdk/PushManager;":                 "",
		"Lcom/getui/gtc/a;":                             "igexin",
		"Lcom/tencent/bugly/crashreport/CrashReport;":   "bugly",
		"Lcom/tencent/buglyx/A;":                        "",
		"Lcom/tencent/A;":                               "",
		"Lcom/baidu/mobstat/StatService;":               "baidu-mobstat",
		"Lcom/baidu/mobstats/StatService;":              "",
		"Lcom/baidu/location/LocationClient;":           "baidu-location",
		"Lcom/ss/android/common/applog/AppLog;":         "bytedance-applog",
		"Lcom/bytedance/applog/AppLog;":                 "bytedance-applog",
		"Lcom/bytedance/sdk/openadsdk/TTAdSdk;":         "pangle",
		"Lcom/bytedance/sdk/open/tiktok/TikTokOpenApi;": "tiktok-opensdk", // not Pangle's openadsdk
		"Lcom/bytedance/sdk/A;":                         "",
		"Lcom/google/android/gms/ads/AdView;":           "admob",
		"Lcom/google/android/gms/ads/identifier/A;":     "google-adid", // the longest counts
		"Lcom/google/android/gms/adsx/AdView;":          "",
		"Lcom/facebook/appevents/AppEventsLogger;":      "facebook-analytics",
		"Lcom/facebook/react/ReactActivity;":            "", // a framework
		"Lcom/tiktok/TikTokBusinessSdk$Companion;":      "tiktok-business",
		"Lcom/tiktok/TikTokBusinessSdkX;":               "",
		"Ljava/lang/String;":                            "",
		"I":                                             "",
		"L;":                                            "",
		"":                                              "",
		"Lcom/alibaba/sdk/android/push/A;":              "alibaba-emas-push",
		"Lcom/appsflyer/AppsFlyerLib;":                  "appsflyer",
		"Lcom/huawei/hms/aaid/HmsInstanceId;":           "huawei-push",
		"Lcoelib/c/couluslibrary/plugin/A;":             "measurementsys",
	} {
		of, mark := s.Marks.Class([]byte(class))
		if got := s.ids(of); got != want {
			t.Errorf("%s is of %q by %q, want %q", class, got, mark, want)
		}
		if mark != "" && !strings.HasPrefix(strings.ReplaceAll(class, "/", "."), "L"+mark) {
			t.Errorf("%s is under %q", class, mark)
		}
	}
	for name, want := range map[string]string{
		"UMENG_APPKEY": "umeng", "UMENG_APPKEYS": "", "com.facebook.sdk.ApplicationId": "facebook-analytics", "BUGLY_APPID": "bugly", "com.facebook.sdk": "",
	} {
		if of, _ := s.Marks.Manifest(name); s.ids(of) != want {
			t.Errorf("%s in a manifest is of %q, want %q", name, s.ids(of), want)
		}
	}
	for name, want := range map[string]string{
		"lib/arm64-v8a/libgetuiext3.so": "igexin", "lib/x86/libBugly.so": "bugly", "lib/x86/libBuglyX.so": "", "lib/x86/liblocSDK7b.so": "baidu-location",
		"assets/gdt_plugin/gdtadv2.jar": "tencent-gdt", "assets/x/gdt_plugin/gdtadv2.jar": "", "assets/audience_network.dex": "facebook-ads",
	} {
		var of []int
		s.Marks.File(name, func(i int, _ Mark) { of = append(of, i) })
		if s.ids(of) != want {
			t.Errorf("%s is of %q, want %q", name, s.ids(of), want)
		}
	}
	if got := s.ids(s.Marks.String([]byte("https://android.bugly.qq.com/rqd/async"))); got != "bugly" {
		t.Errorf("the string is of %q", got)
	}
	if got := s.Marks.String([]byte("https://android.bugly.qq.com/rqd/async2")); got != nil {
		t.Errorf("a longer string is of %q", s.ids(got))
	}
}

// TestSDKsAndOwners: the two files name the same company and country for the same host.
func TestSDKsAndOwners(t *testing.T) {
	b, c := embeddedBase(t), carried(t)
	joined := 0
	for _, s := range c.SDKs.List {
		for _, h := range s.Hosts {
			o, ok := b.Owners.Of(h)
			if !ok || o.Calibration {
				continue
			}
			joined++
			if s.Country != "" && o.Country != "" && s.Country != o.Country {
				t.Errorf("%s: %s is of %s %s in sdks.yaml, and of %s %s in owners.yaml", s.ID, h, s.Company(), s.Country, o.Name(), o.Country)
			}
		}
	}
	if joined < 20 {
		t.Errorf("only %d hosts stand in both", joined)
	}
	for host, want := range map[string]string{
		"android.bugly.qq.com": "bugly", "ULOGS.umeng.com.": "umeng", "notumeng.com": "", "com": "", "c-hzgt2.getui.com": "igexin", "qq.com": "",
	} {
		got := ""
		for _, s := range c.SDKs.TalkingTo(host) {
			got += s.ID
		}
		if got != want {
			t.Errorf("%s is %q's, want %q", host, got, want)
		}
	}
	if got := c.SDKs.TalkingTo("graph.facebook.com"); len(got) < 3 {
		t.Errorf("graph.facebook.com is of %d SDKs; several share it", len(got))
	}
}

func TestFrameworksAndPermissions(t *testing.T) {
	b := carried(t)
	for id, files := range map[string][]string{
		"flutter": {"lib/arm64-v8a/libflutter.so"}, "react-native": {"assets/index.android.bundle"}, "unity": {"lib/armeabi-v7a/libil2cpp.so"},
		"cordova": {"assets/www/cordova.js"}, "xamarin": {"lib/x86_64/libmonodroid.so"}, "kotlin": {"META-INF/app_release.kotlin_module"}, "compose": {"META-INF/androidx.compose.ui_ui.version"},
	} {
		for _, name := range files {
			found := false
			b.Frameworks.Marks.File(name, func(i int, _ Mark) { found = found || b.Frameworks.List[i].ID == id })
			if !found {
				t.Errorf("%s does not tell %s", name, id)
			}
		}
	}
	for name, want := range map[string]string{
		"android.permission.CAMERA": "dangerous", "android.permission.INTERNET": "normal", "android.permission.POST_NOTIFICATIONS": "dangerous",
		"android.permission.INSTALL_PACKAGES": "signature privileged", "android.permission.WRITE_SETTINGS": "signature appop pre23 preinstalled", "org.example.X": "",
	} {
		got := ""
		if l, ok := b.Permissions.Of(name); ok {
			got = strings.TrimSpace(l.Level + " " + strings.Join(l.Flags, " "))
		}
		if got != want && !strings.HasPrefix(got, want+" ") {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestSDKErrors(t *testing.T) {
	text, _, found := strings.Cut(string(files(t)[FileSDKs].Data), "  - id: bugly\n")
	if !found {
		t.Fatal("bugly does not follow the first entries")
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":       {"owner: Umeng", "owners: Umeng", `unknown key "owners"`},
		"class twice":       {"classes: [com.umeng,", "classes: [com.igexin, com.umeng,", `com.igexin is of umeng already`},
		"dot at the end":    {"classes: [com.umeng,", "classes: [com.umeng., ", `without dots at its ends`},
		"a whole namespace": {"classes: [com.umeng,", "classes: [com, ", `one part only`},
		"host":              {"hosts: [umeng.com,", "hosts: [Umeng.com,", `lower-case`},
		"id twice":          {"id: igexin", "id: umeng", `"umeng" stands twice`},
		"short string":      {`"https://ulogs.umeng.com/unify_logs"`, "logs", `too short`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(text, c.old) {
				t.Fatalf("the first entries of %s have no %q", FileSDKs, c.old)
			}
			data := map[string][]layer{
				FileSDKs:        {{file: FileSDKs, data: []byte(strings.Replace(text, c.old, c.new, 1))}},
				FileFrameworks:  {{file: FileFrameworks, data: []byte("frameworks: []")}},
				FilePermissions: {{file: FilePermissions, data: []byte("permissions: []")}},
			}
			if _, err := parseCarried(data); err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	s := carried(t).SDKs
	for _, want := range []string{"umeng", "igexin", "bugly", "baidu-mobstat", "bytedance-applog", "pangle"} {
		if e, ok := s.ByID(want); !ok || e.Country != "CN" || e.Confidence != Read || len(e.Hosts) == 0 {
			t.Errorf("%s: %+v", want, e)
		}
	}
	if n := len(slices.Collect(func(yield func(string) bool) {
		for _, e := range s.List {
			if e.Confidence == Read && !yield(e.ID) {
				return
			}
		}
	})); n < 200 {
		t.Errorf("only %d SDKs were read in a source", n)
	}
}
