package adb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// manager is a package manager of a test: it takes what is streamed and gives a fixed answer.
type manager struct {
	mu       sync.Mutex
	commands []string
	bodies   []string
	answer   string // of install and install-commit
	early    bool   // answer before reading, as for a session that is refused
}

// seen returns the commands and bodies so far. A command whose answer a client
// did not wait for may still be under way.
func (m *manager) seen() (commands, bodies []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.commands), slices.Clone(m.bodies)
}

// reset forgets the commands and sets the next answer.
func (m *manager) reset(answer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands, m.bodies, m.answer = nil, nil, answer
}

func (m *manager) verdict() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answer
}

func (m *manager) serve(d *daemon, service string, s *stream) bool {
	words, ok := strings.CutPrefix(service, "exec:cmd package ")
	if abb, is := strings.CutPrefix(service, "abb_exec:package\x00"); is {
		words, ok = "abb "+strings.ReplaceAll(abb, "\x00", " "), true
	}
	if !ok {
		return false
	}
	s.send("OKAY", nil)
	m.mu.Lock()
	m.commands = append(m.commands, words)
	m.mu.Unlock()
	f := strings.Fields(strings.TrimPrefix(words, "abb "))
	if m.early {
		io.WriteString(s, m.verdict())
		return true
	}
	size := 0
	for i, w := range f {
		if w == "-S" && f[0] != "install-create" {
			size, _ = strconv.Atoi(f[i+1])
		}
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s, body); err != nil {
		return true
	}
	if size > 0 {
		m.mu.Lock()
		m.bodies = append(m.bodies, string(body))
		m.mu.Unlock()
	}
	switch f[0] {
	case "install-create":
		io.WriteString(s, "Success: created install session [77]\n")
	case "install-write":
		io.WriteString(s, "Success: streamed "+strconv.Itoa(size)+" bytes\n")
	default:
		io.WriteString(s, m.verdict())
	}
	return true
}

func TestInstall(t *testing.T) {
	a := server(t)
	for name, c := range map[string]struct{ features, command string }{
		"exec": {modern, "install -r -t 'a b' -S 5"},
		"abb":  {modern + ",abb_exec", "abb install -r -t a b -S 5"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &manager{answer: "Success\n"}
			d := attach(t, a, &daemon{features: c.features, serve: m.serve})
			if err := d.Install(t.Context(), strings.NewReader("hello and what follows"), 5, "-r", "-t", "a b"); err != nil {
				t.Fatal(err)
			}
			commands, bodies := m.seen()
			if commands[0] != c.command || bodies[0] != "hello" {
				t.Errorf("%q, %q", commands, bodies)
			}
			m.reset("Failure [INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries, res=-113]\n")
			err := d.Install(t.Context(), strings.NewReader("hello"), 5)
			var refused *InstallError
			if !errors.As(err, &refused) || refused.Code != "INSTALL_FAILED_NO_MATCHING_ABIS" || refused.Detail != "Failed to extract native libraries, res=-113" ||
				!strings.Contains(err.Error(), "native code") {
				t.Errorf("%v", err)
			}
			// A device that refuses before the stream has come.
			m.early = true
			big := bytes.Repeat([]byte("x"), 8<<20)
			if err := d.Install(t.Context(), bytes.NewReader(big), int64(len(big))); !errors.As(err, &refused) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestInstallOnAnOldDevice(t *testing.T) {
	a := server(t)
	tmp := t.TempDir()
	fake := &daemon{root: tmp}
	os.MkdirAll(filepath.Join(tmp, "data/local/tmp"), 0o700)
	var asked string
	fake.serve = func(d *daemon, service string, s *stream) bool {
		if !strings.Contains(service, "pm install") {
			return false
		}
		s.send("OKAY", nil)
		asked = service
		mark := service[strings.Index(service, "exit-"):strings.Index(service, "$?")]
		fmt.Fprintf(s, "\tpkg: /data/local/tmp/x.apk\r\nFailure [INSTALL_FAILED_OLDER_SDK]\r\n%s1\r\n", mark)
		return true
	}
	d := attach(t, a, fake)
	err := d.Install(t.Context(), strings.NewReader("apk"), 3, "-r")
	var refused *InstallError
	if !errors.As(err, &refused) || refused.Code != "INSTALL_FAILED_OLDER_SDK" || !strings.Contains(asked, "pm install -r /data/local/tmp/") {
		t.Errorf("%v after %q", err, asked)
	}
}

func TestInstallOfAFileThatIsShorterThanItSaid(t *testing.T) {
	a := server(t)
	m := &manager{answer: "Success\n"}
	d := attach(t, a, &daemon{features: modern, serve: m.serve})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := d.Install(ctx, strings.NewReader("abc"), 10); err == nil || !strings.Contains(err.Error(), "3 of 10 bytes") {
		t.Errorf("%v", err)
	}
}

func TestInstallMultiple(t *testing.T) {
	a := server(t)
	m := &manager{answer: "Success\n"}
	d := attach(t, a, &daemon{features: modern, serve: m.serve})
	apks := func() []APK {
		return []APK{{"base.apk", 4, strings.NewReader("base")}, {"split; rm -rf /.apk", 5, strings.NewReader("split")}}
	}
	if err := d.InstallMultiple(t.Context(), apks(), "-r"); err != nil {
		t.Fatal(err)
	}
	want := "install-create -r -S 9|install-write -S 4 77 0.apk -|install-write -S 5 77 1.apk -|install-commit 77"
	commands, bodies := m.seen()
	if got := strings.Join(commands, "|"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := strings.Join(bodies, "|"); got != "base|split" {
		t.Error(got)
	}
	m.reset("Failure [INSTALL_FAILED_MISSING_SPLIT: Missing split for a.b]")
	var refused *InstallError
	if err := d.InstallMultiple(t.Context(), apks()); !errors.As(err, &refused) || refused.Code != "INSTALL_FAILED_MISSING_SPLIT" {
		t.Errorf("%v", err)
	}
	m.reset("Success\n")
	short := []APK{{"base.apk", 4, &failing{2}}}
	err := d.InstallMultiple(t.Context(), short)
	if commands, _ = m.seen(); err == nil || !strings.Contains(commands[len(commands)-1], "install-abandon 77") {
		t.Errorf("%v after %q", err, commands)
	}
	if err := d.InstallMultiple(t.Context(), nil); err == nil {
		t.Error("nothing installs")
	}
}

func TestInstallVerdict(t *testing.T) {
	d := &Device{descriptor: DeviceWithSerial("phone")}
	for out, want := range map[string]string{
		"Success\n":                              "",
		"Performing Streamed Install\nSuccess\n": "",
		"Failure [INSTALL_FAILED_DEPRECATED_SDK_VERSION: App package must target at least SDK version 24, but found 23]\r\n": "INSTALL_FAILED_DEPRECATED_SDK_VERSION: App package must target at least SDK version 24, but found 23",
		"Failure [INSTALL_PARSE_FAILED_NOT_APK: Failed to parse /data/app/x.apk]":                                            "INSTALL_PARSE_FAILED_NOT_APK: Failed to parse /data/app/x.apk",
		"Failure [not installed for 0]":                      ": not installed for 0",
		"Failure [INSTALL_FAILED_OLDER_SDK]":                 "INSTALL_FAILED_OLDER_SDK: ",
		"Error: java.lang.SecurityException: no":             `: it said neither Success nor Failure but "Error: java.lang.SecurityException: no"`,
		"Failure [INSTALL_FAILED_INVALID_APK: bad [x] name]": "INSTALL_FAILED_INVALID_APK: bad [x] name",
		"": `: it said neither Success nor Failure but ""`,
	} {
		got := ""
		var refused *InstallError
		if errors.As(installVerdict(d, []byte(out)), &refused) {
			got = refused.Code + ": " + refused.Detail
		}
		if got != want {
			t.Errorf("%q: %q, want %q", out, got, want)
		}
	}
}

// Every code that is known to come is explained, each in words of its own.
func TestEveryInstallCodeIsExplained(t *testing.T) {
	codes := strings.Fields(`ALREADY_EXISTS INVALID_APK INVALID_URI INSUFFICIENT_STORAGE DUPLICATE_PACKAGE NO_SHARED_USER
		UPDATE_INCOMPATIBLE SHARED_USER_INCOMPATIBLE MISSING_SHARED_LIBRARY REPLACE_COULDNT_DELETE DEXOPT OLDER_SDK
		CONFLICTING_PROVIDER NEWER_SDK TEST_ONLY CPU_ABI_INCOMPATIBLE MISSING_FEATURE CONTAINER_ERROR INVALID_INSTALL_LOCATION
		MEDIA_UNAVAILABLE VERIFICATION_TIMEOUT VERIFICATION_FAILURE PACKAGE_CHANGED UID_CHANGED VERSION_DOWNGRADE
		PERMISSION_MODEL_DOWNGRADE INTERNAL_ERROR USER_RESTRICTED DUPLICATE_PERMISSION NO_MATCHING_ABIS ABORTED
		DEPRECATED_SDK_VERSION MISSING_SPLIT BAD_DEX_METADATA BAD_SIGNATURE MULTIPACKAGE_INCONSISTENCY
		SANDBOX_VERSION_DOWNGRADE INSTANT_APP_INVALID WRONG_INSTALLED_VERSION PROCESS_NOT_DEFINED`)
	parse := strings.Fields(`NOT_APK BAD_MANIFEST UNEXPECTED_EXCEPTION NO_CERTIFICATES INCONSISTENT_CERTIFICATES
		CERTIFICATE_ENCODING BAD_PACKAGE_NAME BAD_SHARED_USER_ID MANIFEST_MALFORMED MANIFEST_EMPTY`)
	unknown := (&InstallError{Code: "INSTALL_FAILED_TOMORROW"}).Explain()
	seen := map[string]string{}
	check := func(code string) {
		text := (&InstallError{Code: code}).Explain()
		if text == unknown || seen[text] != "" {
			t.Errorf("%s is explained as %q, as is %q", code, text, seen[text])
		}
		seen[text] = code
	}
	for _, c := range codes {
		check("INSTALL_FAILED_" + c)
	}
	for _, c := range parse {
		check("INSTALL_PARSE_FAILED_" + c)
	}
	if len(unknown) == 0 || !strings.Contains((&InstallError{Code: "INSTALL_FAILED_TOMORROW", Device: "x"}).Error(), "INSTALL_FAILED_TOMORROW") {
		t.Error("a code that is unknown is swallowed")
	}
}
