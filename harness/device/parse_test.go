package device

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/evidence"
)

func TestParseProperties(t *testing.T) {
	got := parseProperties("[ro.build.version.sdk]: [34]\r\n[ro.empty]: []\n[persist.sys.boot.reason.history]: [reboot,1700000000\nshutdown,1690000000]\nnoise\n[ro.odd]: [a]: [b]\n[ro.last]: [x]\n")
	want := map[string]string{
		"ro.build.version.sdk": "34", "ro.empty": "", "ro.last": "x", "ro.odd": "a]: [b",
		"persist.sys.boot.reason.history": "reboot,1700000000\nshutdown,1690000000",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseUID(t *testing.T) {
	const out = "package:org.example.app.more uid:10150\npackage:org.example.app uid:10123,1010123\n"
	for pkg, want := range map[string]string{"org.example.app": "10123 true", "org.example.app.more": "10150 true", "org.example": "0 false", "": "0 false"} {
		if got := fmt.Sprint(parseUID(out, pkg)); got != want {
			t.Errorf("%s: %s, want %s", pkg, got, want)
		}
	}
}

const noAccounts = `User UserInfo{0:Owner:4c13}:
  Accounts: 0

  AccountId, Action_Type, timestamp, UID, TableName, Key
  Accounts History
%s
  Active Sessions: 0

  RegisteredServicesCache: 2 services
    ServiceInfo: AuthenticatorDescription {type=com.example.pop}, ComponentInfo{com.example.mail/com.example.mail.Pop}, uid 10167
    ServiceInfo: AuthenticatorDescription {type=org.example.app.account}, ComponentInfo{org.example.app/.Auth}, uid 10200
  Account visibility:
`

const twoAccounts = `User UserInfo{0:Owner:c13}:
  Accounts: 2
    Account {name=Ann, type=com.example.mail}
    Account {name=a, type=b}
  Accounts: 9
, type=com.example.guest}

  AccountId, Action_Type, timestamp, UID, TableName, Key
  Accounts History
  -1,action_called_account_add,2026-03-01 09:15:02,1000,accounts,0
  3,action_account_add,2026-03-01 09:15:03,10177,accounts,1

  Active Sessions: 1
    Session: expectLaunch false, connected true, stats (0/0/0), lifetime 183.333

  Account visibility:
    Account {name=Ann, type=com.example.mail}
      org.example.app, 1
User UserInfo{10:Work:1030}:
  Accounts: 1
    Account {name=Work, type=com.example.work}

  AccountId, Action_Type, timestamp, UID, TableName, Key
  Accounts History
`

func TestParseAccounts(t *testing.T) {
	type row = evidence.AccountAction
	for name, c := range map[string]struct {
		out  string
		want evidence.Accounts
		err  string
	}{
		"none": {fmt.Sprintf(noAccounts, ""), evidence.Accounts{Accounts: []evidence.Account{}, History: []row{}}, ""},
		"one that was added and removed shows in the history": {
			fmt.Sprintf(noAccounts, "  1,action_account_add,2026-02-11 08:33:39,10177,accounts,1\n  1,action_called_account_remove,2026-02-11 08:34:00,10177,accounts,2\n  1,action_account_remove,2026-02-11 08:34:00,10177,accounts,3\n"),
			evidence.Accounts{Accounts: []evidence.Account{}, History: []row{
				{Action: "action_account_add", At: "2026-02-11 08:33:39", UID: 10177},
				{Action: "action_called_account_remove", At: "2026-02-11 08:34:00", UID: 10177},
				{Action: "action_account_remove", At: "2026-02-11 08:34:00", UID: 10177}}}, ""},
		"carriage returns": {strings.ReplaceAll(fmt.Sprintf(noAccounts, ""), "\n", "\r\n"), evidence.Accounts{Accounts: []evidence.Account{}, History: []row{}}, ""},
		"a list that is cut off": {"User UserInfo{0:Owner:13}:\n  Accounts: 2\n    Account {name=A, type=t}\n",
			evidence.Accounts{Accounts: []evidence.Account{{Name: "A", Type: "t"}}, History: []row{}}, "says that there are 2 and lists 1"},
		"a service that isn't there": {"Can't find service: account\n", evidence.Accounts{Accounts: []evidence.Account{}, History: []row{}}, "Can't find service"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseAccounts(c.out)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// The name of the second account forges the head of a section. It may not hide what follows.
func TestParseAccountsWithANameThatForgesOutput(t *testing.T) {
	got, err := parseAccounts(twoAccounts)
	if err != nil {
		t.Error(err)
	}
	want := []evidence.Account{{Name: "Ann", Type: "com.example.mail"}, {Name: "a", Type: "b"}, {Name: "Work", Type: "com.example.work"}}
	if d := cmp.Diff(want, got.Accounts); d != "" {
		t.Error(d)
	}
	if len(got.History) != 2 || got.History[0].UID != 1000 || got.History[1].Action != "action_account_add" {
		t.Errorf("%+v", got.History)
	}
	// One that adds an account to the list, or ends it, contradicts the number.
	for _, name := range []string{"x, type=y}\n    Account {name=z", "x\n  AccountId, Action_Type"} {
		if _, err := parseAccounts(strings.Replace(twoAccounts, "name=Ann", "name="+name, 1)); err == nil {
			t.Errorf("%q passes", name)
		}
	}
}

func TestAccountTypes(t *testing.T) {
	got := accountTypes(fmt.Sprintf(noAccounts, ""), "org.example.app")
	if d := cmp.Diff([]string{"com.example.pop"}, got); d != "" {
		t.Error(d)
	}
}

const netstatsMap = `Active interfaces:
  iface=wlan0 ident=[{type=1}]
BPF map status:
  mAppUidStatsMap: OK
UID stats:
  ident=[{type=1}] uid=10123 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1700000000 rb=1 rp=1 tb=2 tp=1 op=0
BPF map content:
  mAppUidStatsMap:
    uid rxBytes rxPackets txBytes txPackets
    10123 5000 10 700 8
    1010123 9 9 9 9
  mStatsMapA:
    ifaceIndex ifaceName tag_hex uid_int cnt_set rxBytes rxPackets txBytes txPackets
    10123 99999 0 1 2
`

const netstatsHistory = `Xt stats:
  ident=[{type=1}] uid=10123 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=3600
      st=1 rb=7777 rp=1 tb=7777 tp=1 op=0
UID stats:
  Pending bytes: 12
  Complete history:
  ident=[{type=1, wifiNetworkKey="x"}] uid=10123 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1700000000 rb=100 rp=5 tb=30 tp=6 op=0
      st=1700007200 rb=200 rp=5 tb=40 tp=6 op=0
  ident=[{type=0}] uid=10123 set=FOREGROUND tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      bucketStart=1406138400000 activeTime=3603995 rxBytes=1000 rxPackets=5 txBytes=500 txPackets=6 operations=0
  ident=[{type=1}] uid=10124 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1700000000 rb=9 rp=5 tb=9 tp=6 op=0
UID tag stats:
  ident=[{type=1}] uid=10123 set=DEFAULT tag=0xff
    NetworkStatsHistory: bucketDuration=7200
      st=1700000000 rb=50 rp=5 tb=60 tp=6 op=0
`

const tagUID = `idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets rx_tcp_bytes
2 wlan0 0x0 10123 0 10 1 20 2 0
3 wlan0 0x0 10123 1 100 1 200 2 0
4 wlan0 0xff00000000 10123 1 50 1 60 2 0
5 wlan0 0x0 1012 0 7 1 7 2 0
`

func TestParseCounters(t *testing.T) {
	for name, c := range map[string]struct {
		parse    func(string, int) (evidence.Counters, bool)
		out      string
		uid      int
		rx, tx   uint64
		isThere  bool
		fallback string
	}{
		"the kernel's map":             {parseUIDMap, netstatsMap, 10123, 5000, 700, true, ""},
		"no row in the map is nothing": {parseUIDMap, netstatsMap, 10999, 0, 0, true, ""},
		"no map":                       {parseUIDMap, netstatsHistory, 10123, 0, 0, false, ""},
		"history":                      {parseUIDHistory, netstatsHistory, 10123, 1300, 570, true, ""},
		"history of another":           {parseUIDHistory, netstatsHistory, 10124, 9, 9, true, ""},
		"no history":                   {parseUIDHistory, "Can't find service: netstats", 10123, 0, 0, false, ""},
		"xt_qtaguid":                   {parseTagUID, tagUID, 10123, 110, 220, true, ""},
		"xt_qtaguid without a head":    {parseTagUID, "cat: no such file", 10123, 0, 0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := c.parse(c.out, c.uid)
			if got.Received != c.rx || got.Sent != c.tx || ok != c.isThere || got.UID != c.uid || got.Source == "" {
				t.Errorf("%+v, %t", got, ok)
			}
		})
	}
}

func TestParseZygotes(t *testing.T) {
	z, apps := parseZygotes("  PID  PPID NAME\n    1     0 init\n  301     1 zygote64\n  302     1 zygote\n  500   301 system_server\n  700   302 org.example.app\n  701   700 sh\n  800     1 zygote_like\n")
	if d := cmp.Diff([]string{"301", "302"}, z); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"500", "700"}, apps); d != "" {
		t.Error(d)
	}
}

func TestLaunchFault(t *testing.T) {
	for want, res := range map[string]adb.Result{
		"": {Stdout: []byte("Starting: Intent { act=android.intent.action.MAIN }\nStatus: ok\nLaunchState: COLD\nActivity: a.b/.Main\nTotalTime: 344\nComplete\n")},
		"Error type 3 Error: Activity class {a.b/a.b.Main} does not exist.": {Stdout: []byte("Starting: Intent { }\nError type 3\nError: Activity class {a.b/a.b.Main} does not exist.\n")},
		"java.lang.SecurityException: Permission Denial at x":               {Stderr: []byte("java.lang.SecurityException: Permission Denial\n\tat x\n"), ExitCode: 255},
		"am start ended with code 1: no":                                    {Stderr: []byte("no"), ExitCode: 1},
	} {
		if got := launchFault(res); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDumpFault(t *testing.T) {
	for out, fault := range map[string]bool{
		"UI hierchary dumped to: /sdcard/x.xml":                     false,
		"UI hierarchy dumped to: /sdcard/x.xml":                     false,
		"ERROR: null root node returned by UiTestAutomationBridge.": true,
		"ERROR: could not get idle state.":                          true,
		"Killed":                                                    true,
		"":                                                          true,
		"java.lang.IllegalStateException: UiAutomationService already reg": true,
	} {
		if got := dumpFault(adb.Result{Stdout: []byte(out)}); (got != "") != fault {
			t.Errorf("%q: %q", out, got)
		}
	}
}

func TestInputParts(t *testing.T) {
	for text, want := range map[string]string{"": "", "ab": "ab", "a b": "a%sb", "100%s": "100%|s", "%s%s": "%|s%|s", "%": "%", "a %s b": "a%s%|s%sb"} {
		if got := strings.Join(inputParts(text), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseRows(t *testing.T) {
	for out, want := range map[string][]string{
		"No result found.\n": nil,
		"Row: 0 data1=Ann Example\nRow: 1 data1=two\nlines\nRow: 2 data1=\n":               {"Ann Example", "two\nlines", ""},
		"Row: 0 data1=a name that forges\nRow: 9 data1=another row\nRow: 1 data1=the next": {"a name that forges\nRow: 9 data1=another row", "the next"},
	} {
		if d := cmp.Diff(want, parseRows(out, "data1")); d != "" {
			t.Error(d)
		}
	}
}

func TestSSAIDFile(t *testing.T) {
	const before = `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<settings version="-1">
  <setting id="0" name="userkey" value="ABC&amp;" package="android" defaultValue="ABC" defaultSysSet="true" tag="null" />
  <setting id="7" name="10123" value="0123456789abcdef" package="org.example.app" defaultValue="0123456789abcdef" defaultSysSet="true" tag="null" preserve_in_restore="true" />
</settings>
`
	for name, uid := range map[string]int{"an entry that is there": 10123, "a new one": 10200} {
		t.Run(name, func(t *testing.T) {
			after, err := putSSAID([]byte(before), uid, "org.example.app", "feedfacecafebeef")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := getSSAID(after, uid); got != "feedfacecafebeef" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if !strings.Contains(string(after), `name="userkey" value="ABC&amp;"`) {
				t.Errorf("another entry was changed:\n%s", after)
			}
			if uid == 10200 && !strings.Contains(string(after), `id="8"`) {
				t.Errorf("the new entry's id is taken:\n%s", after)
			}
			if uid == 10123 && !strings.Contains(string(after), `preserve_in_restore="true"`) {
				t.Errorf("an attribute got lost:\n%s", after)
			}
			gone, err := dropSSAID(after, uid)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := getSSAID(gone, uid); got != "" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	if after, err := putSSAID(nil, 10001, "a.b", "0011223344556677"); err != nil || !strings.Contains(string(after), `<settings version="-1">`) {
		t.Errorf("%s, %v", after, err)
	}
	for _, bad := range []string{"ABX\x00\x10", "<map/>", "<settings>", "no XML at all"} {
		if _, err := putSSAID([]byte(bad), 1, "a.b", "x"); err == nil {
			t.Errorf("%q passes for the file", bad)
		}
	}
}

func TestSamePlace(t *testing.T) {
	if !samePlace("52.520007,13.404954", " 52.5200070 , 13.4049540") || samePlace("52.520007,13.404954", "52.520009,13.404954") || samePlace("", "") || samePlace("1,2", "x,2") {
		t.Error("places are not compared to the sixth decimal")
	}
}
