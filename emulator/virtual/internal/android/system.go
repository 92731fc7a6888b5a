// Package android is the framework of the embedded device: the package manager,
// the activity manager, settings, accounts, contacts and calendar, location and
// the rest of what an audit asks an Android device for.
//
// [New] boots a [System] over a file tree and registers its commands with a
// shell; what they print follows the release that the device poses as. An app
// runs in a [Runtime], which this package only knows as an interface, and
// reaches the platform through a [Bridge] whose every method is guarded by the
// permission that Android asks for. What the device does not model says so and
// fails; nothing is made up. Errors of the framework are Android's own texts.
//
// Beside what Android has there are a few commands of this device's own: cmd
// account add and remove, cmd clipboard, cmd media.camera feed, and cmd phone
// set-imei and set-line1-number. The app-scoped identifiers are in plain XML
// where Android has binary XML, and are read anew at each question.
package android

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/loopback"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// Options is what a System is made of.
type Options struct {
	API     int // Android API level: 30, 34, or 0 for DefaultAPI
	FS      *rootfs.FS
	Shell   *shell.Shell
	Runtime Runtime // runs web apps; nil for a device that runs none
	// Loopback is the device's own 127.0.0.1: where the proxy is looked up and
	// an app's debugging socket is entered.
	Loopback *loopback.Table
	Serial   string
	Storage  int64            // bytes that installed apps may take; 0 for DefaultStorage
	Now      func() time.Time // nil for time.Now
	Random   io.Reader        // nil for crypto/rand
}

// DefaultStorage is how much room a device has for apps unless told otherwise.
const DefaultStorage = 8 << 30

// System is Android's framework: what is installed, what runs, and what the
// device knows of its person. It answers through the commands that it
// registers with the shell. Its methods are safe for concurrent use.
type System struct {
	options Options
	release Release
	fs      *rootfs.FS
	files   *rootfs.View // as the system's image: nothing is denied
	now     func() time.Time
	booted  time.Time

	known      map[string]permission
	props      *properties
	settings   *settings
	registry   *registry
	sessions   *sessions
	accounts   *accounts
	content    *content
	locations  *locations
	clipboard  *clipboard
	camera     *camera
	appops     *appops
	log        *logBuffer
	traffic    *traffic
	filter     *packetFilter
	activities *activities
	display    *display
	phone      *phone

	randomMu   sync.Mutex // a source of random bytes need not be safe for concurrent use
	installing sync.Mutex // one installation or removal at a time
	ssaidMu    sync.Mutex // the SSAID file is read and written in one piece
	prefsMu    sync.Mutex // shared preferences are read and written in one piece

	life context.Context // ends with the system
	end  context.CancelFunc
	work sync.WaitGroup // goroutines that the system started

	closing sync.Mutex
	closed  bool
}

// New boots a device's framework: it fills the tree with what Android keeps
// there and registers its commands. Close ends it.
func New(o Options) (*System, error) {
	release, err := ReleaseOf(o.API)
	if err != nil {
		return nil, err
	}
	if o.FS == nil || o.Shell == nil {
		return nil, errors.New("boot the embedded device: no file tree or no shell was given")
	}
	if o.Loopback == nil {
		o.Loopback = loopback.New()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Storage == 0 {
		o.Storage = DefaultStorage
	}
	if o.Serial == "" {
		o.Serial = "UNASKED0EMBEDDED"
	}
	s := &System{options: o, release: release, fs: o.FS, files: o.FS.Image(), now: o.Now, booted: o.Now()}
	s.life, s.end = context.WithCancel(context.Background())
	s.known = readPermissions(release.API)
	s.props = newProperties(release.properties(o.Serial))
	s.settings = newSettings(s.randomHex(8))
	s.registry = newRegistry(release, s.booted)
	s.sessions = newSessions()
	s.accounts = newAccounts(o.Now)
	s.content = newContent()
	s.locations = newLocations()
	s.clipboard = &clipboard{}
	s.camera = &camera{}
	s.appops = newAppops(o.Now)
	s.log = newLogBuffer(o.Now)
	s.traffic = newTraffic()
	s.filter = newPacketFilter()
	s.activities = newActivities()
	s.display = newDisplay()
	s.phone = newPhone()
	if err := s.populate(); err != nil {
		s.end()
		return nil, fmt.Errorf("boot the embedded device: %w", err)
	}
	s.register(o.Shell)
	s.log.write(1, 0, 'I', "boot", "unasked's embedded device, Android "+release.Version+": a simulation")
	return s, nil
}

// Release is what the device poses as.
func (s *System) Release() Release { return s.release }

// Property is the value of a system property, or "".
func (s *System) Property(name string) string { return s.props.get(name) }

// SetProperty sets a system property past the rules for setprop, as init does.
func (s *System) SetProperty(name, value string) { s.props.force(name, value) }

// Close stops every app and waits for all that the system started.
func (s *System) Close(ctx context.Context) error {
	err := s.stopAll(ctx)
	s.closing.Lock()
	s.closed = true
	s.closing.Unlock()
	s.end()
	s.work.Wait()
	return err
}

// Reboot stops every app and boots anew: what is only in memory is gone, what
// is on the data partition stays.
func (s *System) Reboot(ctx context.Context) error {
	if err := s.stopAll(ctx); err != nil {
		return err
	}
	n, _ := s.settings.get(settingsGlobal, "boot_count")
	count, _ := strconv.Atoi(n)
	s.settings.put(settingsGlobal, "boot_count", strconv.Itoa(count+1))
	s.log.clear()
	s.clipboard.set("")
	s.traffic.clear()
	s.filter.clear()
	s.sessions.clear(s)
	s.booted = s.now()
	s.log.write(1, 0, 'I', "boot", "rebooted")
	return nil
}

// populate puts into the tree what the framework keeps there.
func (s *System) populate() error {
	if err := s.writeFile("/data/system/users/0/settings_ssaid.xml", newSSAIDFile(s.randomHex(32)).encode(), 1000, 1000, 0o600); err != nil {
		return err
	}
	const gms = "/data/data/com.google.android.gms"
	if err := s.mkdir(gms, 10054, 10054, 0o700); err != nil {
		return err
	}
	if err := s.mkdir(gms+"/shared_prefs", 10054, 10054, 0o771); err != nil {
		return err
	}
	adid := &preferences{}
	adid.put("string", "adid_key", s.randomUUID())
	adid.put("boolean", "enable_limit_ad_tracking", "false")
	adid.put("int", "adid_reset_count", "0")
	return s.writeFile(advertisingFile, adid.encode(), 10054, 10054, 0o660)
}

// advertisingFile is where Play services keep the advertising id.
const advertisingFile = "/data/data/com.google.android.gms/shared_prefs/adid_settings.xml"

// randomHex is n random bytes as hexadecimal digits.
func (s *System) randomHex(n int) string { return hex.EncodeToString(s.random(n)) }

// randomName is the random part of a code path.
func (s *System) randomName() string { return base64.URLEncoding.EncodeToString(s.random(16)) }

// randomUUID is a UUID of version 4 (RFC 9562).
func (s *System) randomUUID() string {
	b := s.random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *System) random(n int) []byte {
	b := make([]byte, n)
	s.randomMu.Lock()
	defer s.randomMu.Unlock()
	if _, err := io.ReadFull(s.options.Random, b); err != nil {
		// A source given by a test ran dry: the system's never does.
		_, _ = rand.Read(b)
	}
	return b
}

// zone is the device's time zone.
func (s *System) zone() *time.Location {
	if z, err := time.LoadLocation(s.props.get("persist.sys.timezone")); err == nil {
		return z
	}
	return time.UTC
}

// proxyOnHost is where the device's HTTP proxy is on the host, or "".
func (s *System) proxyOnHost() string {
	proxy := s.settings.proxy()
	host, port, err := net.SplitHostPort(proxy)
	if err != nil {
		return ""
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return proxy
	}
	n, err := strconv.Atoi(port)
	if err == nil {
		if addr, ok := s.options.Loopback.Lookup(n); ok {
			return addr
		}
	}
	// Nobody listens there: the app must see a proxy that refuses, not none.
	return "127.0.0.1:9"
}

// authorities are the certificates that apps trust, in PEM.
func (s *System) authorities() [][]byte {
	dir := s.release.cacerts()
	entries, err := s.files.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list [][]byte
	for _, e := range entries {
		if data, err := s.files.ReadFile(dir + "/" + e.Name()); err == nil {
			list = append(list, data)
		}
	}
	return list
}

// writeFile makes or replaces a file and gives it to somebody.
func (s *System) writeFile(name string, data []byte, uid, gid int, mode fs.FileMode) error {
	if err := s.files.WriteFile(name, data, mode); err != nil {
		return err
	}
	return s.fs.SetOwner(name, uid, gid, mode)
}

// mkdir makes a folder that may be there already, and gives it to somebody.
func (s *System) mkdir(name string, uid, gid int, mode fs.FileMode) error {
	if err := s.files.MkdirAll(name, mode); err != nil {
		return err
	}
	return s.fs.SetOwner(name, uid, gid, mode)
}
