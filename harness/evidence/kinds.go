package evidence

import (
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
)

// The kinds of events, each with the type of its payload.
const (
	KindAuditStart = "audit.start" // AuditStart
	KindDevice     = "device"      // Device
	KindApp        = "app"         // App
	KindPlanting   = "planting"    // Planting
	KindArm        = "arm"         // Arm
	KindPhaseStart = "phase.start" // Phase
	KindPhaseEnd   = "phase.end"   // Phase
	KindAction     = "action"      // Action
	KindTap        = "tap"         // Tap
	KindExhibit    = "exhibit"     // Exhibit
	KindAccounts   = "accounts"    // Accounts
	KindCounters   = "counters"    // Counters
	KindBlindSpot  = "blindspot"   // BlindSpot
	KindProbe      = "probe"       // Probe
	KindRequest    = "request"     // flow.Request
	KindResponse   = "response"    // flow.Response
	KindConnection = "connection"  // flow.Connection
	KindMessage    = "message"     // flow.Message
	KindWire       = "wire"        // flow.Wire
	KindQuery      = "query"       // flow.Query
	KindAuditEnd   = "audit.end"   // AuditEnd
)

// AuditStart opens a log.
type AuditStart struct {
	Tool     string   `json:"tool"`     // "unasked 0.1.0"
	Command  []string `json:"command"`  // the command line
	Protocol string   `json:"protocol"` // its name
	Source   Digest   `json:"source"`   // the protocol file, as a blob
	Seed     string   `json:"seed"`     // hexadecimal; the canaries follow from it

	// What the manifest will say as well, so that a killed audit's can be rebuilt.
	Knowledge Digest          `json:"knowledge,omitempty"` // version of the knowledge
	Identity  canary.Identity `json:"identity,omitzero"`   // the canaries
	Decoys    canary.Identity `json:"decoys,omitzero"`     // never planted

	// Earlier is the audit that this one rechecks; nil for one that stands alone.
	Earlier *Earlier `json:"earlier,omitempty"`
}

// Earlier says of a bundle that was rechecked what has to be known of it. Its answers of
// websites are in the recheck's own log.
type Earlier struct {
	Manifest Digest    `json:"manifest"` // SHA-256 of its manifest.json
	Sealed   time.Time `json:"sealed"`
	Launched bool      `json:"launched,omitempty"` // the app was started in it, or in one that it rechecks
	Signup   bool      `json:"signup,omitempty"`   // a person signed up in it, or in one that it rechecks
}

// Device says what was audited on.
type Device struct {
	Serial      string            `json:"serial"`
	Simulated   bool              `json:"simulated"`
	Model       string            `json:"model"`
	Release     string            `json:"release"` // Android version, such as "14"
	API         int               `json:"api"`
	Fingerprint string            `json:"fingerprint"` // ro.build.fingerprint
	Rooted      bool              `json:"rooted"`
	Properties  map[string]string `json:"properties,omitempty"`
}

// App says what was audited.
type App struct {
	Package     string   `json:"package"`
	Label       string   `json:"label,omitempty"`
	VersionName string   `json:"version_name,omitempty"`
	VersionCode int64    `json:"version_code"`
	MinSDK      int      `json:"min_sdk,omitempty"`
	TargetSDK   int      `json:"target_sdk,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	Signers     []Digest `json:"signers,omitempty"` // SHA-256 of each signing certificate
	Files       []File   `json:"files"`             // the APK or its splits, base first
	UID         int      `json:"uid,omitempty"`     // on the device, once installed
}

// File is a file that is part of the evidence as a blob.
type File struct {
	Name string `json:"name"`
	Blob Digest `json:"blob"`
	Size int64  `json:"size"` // bytes
}

// Planting says how one canary came onto the device, or why it did not.
type Planting struct {
	Kind     string `json:"kind"` // the canary's kind
	Value    string `json:"value"`
	How      string `json:"how"`                 // the interface used, in words
	ReadBack string `json:"read_back,omitempty"` // what the device answered afterwards
	OK       bool   `json:"ok"`                  // ReadBack shows the value
	Error    string `json:"error,omitempty"`
}

// What a phase can be for.
const (
	PurposeBaseline  = "baseline" // the app is not installed
	PurposeInstall   = "install"
	PurposeLaunch    = "launch"
	PurposeWatch     = "watch"
	PurposeConsent   = "consent" // a choice is made in the app's dialog
	PurposeDraft     = "draft"   // a recording is made and discarded
	PurposeRelaunch  = "relaunch"
	PurposeReinstall = "reinstall"
	PurposeSignup    = "signup" // a person signs up in the app's form
)

// Arm says, before an arm run of an experiment begins, which identity is on the device,
// or why the run can't be done.
type Arm struct {
	Name   string `json:"name"`             // of the arm, without the repeat
	Repeat int    `json:"repeat"`           // from 1
	Role   string `json:"role"`             // N, A, F, B, C, D or G
	Change string `json:"change,omitempty"` // of role C: the source that is changed
	// Identity is what was to be on the device; Absent are the kinds of it that the
	// device did not take. The SSAID stands there as it was planned: it is planted once
	// the app is installed, and that planting's event says how it went.
	Identity canary.Identity `json:"identity,omitzero"`
	Absent   []string        `json:"absent,omitempty"`
	// Undone says why the run can't be done; then no phase of it follows.
	Undone string `json:"undone,omitempty"`
}

// Phase opens or closes a phase.
type Phase struct {
	Name    string        `json:"name"`
	Consent Consent       `json:"consent,omitempty"`
	Lasts   time.Duration `json:"lasts"`             // as planned, in nanoseconds
	Reached bool          `json:"reached"`           // false at the end where the phase could not do what it is for
	Why     string        `json:"why,omitempty"`     // why it was not reached
	Signup  bool          `json:"signup,omitempty"`  // a person signed up in or before it
	Purpose string        `json:"purpose,omitempty"` // one of the Purpose constants
}

// Action is something the harness did to the device.
type Action struct {
	Verb   string `json:"verb"` // install, launch, stop, uninstall, clear, set-proxy, trust-ca, restore ...
	Detail string `json:"detail,omitempty"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
}

// Tap is a touch of ours, for our own "Continue" may be consent.
type Tap struct {
	X      int    `json:"x"` // pixels
	Y      int    `json:"y"`
	Text   string `json:"text,omitempty"` // of the node that was meant
	Why    string `json:"why"`
	Before Digest `json:"before,omitempty"` // screenshot
	After  Digest `json:"after,omitempty"`  // where it was taken with the tap; else a screenshot that follows shows it
}

// The kinds of exhibits.
const (
	ExhibitScreenshot = "screenshot" // PNG
	ExhibitScreen     = "screen"     // uiautomator's XML
	ExhibitPrivate    = "private"    // tar of the app's private files
	ExhibitLog        = "log"        // logcat
	ExhibitAccounts   = "accounts"   // dumpsys account, as it was printed
	ExhibitDraft      = "draft"      // a recording that the person never posted
	ExhibitAPK        = "apk"
	ExhibitPartial    = "partial" // what had arrived of a blob when the audit was cut off
)

// Exhibit is a blob with what it shows.
type Exhibit struct {
	Kind  string `json:"kind"`
	Title string `json:"title,omitempty"`
	Name  string `json:"name,omitempty"` // the path on the device, where it has one
	Media string `json:"media"`          // media type
	Blob  Digest `json:"blob"`
	Size  int64  `json:"size"` // bytes
}

// Accounts is what the device's account manager holds.
type Accounts struct {
	Accounts []Account       `json:"accounts"`
	History  []AccountAction `json:"history"`
	Raw      Digest          `json:"raw"` // the output it was read from
}

// Account is one account on the device.
type Account struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// AccountAction is a row of the account manager's history, which outlives the account.
type AccountAction struct {
	Action string `json:"action"` // such as action_account_add
	At     string `json:"at"`     // as the device prints it
	UID    int    `json:"uid"`
}

// Counters are bytes that the kernel counted for the app's uid.
type Counters struct {
	UID      int    `json:"uid"`
	Received uint64 `json:"received"` // bytes since boot
	Sent     uint64 `json:"sent"`
	Source   string `json:"source"` // the command that was asked
}

// BlindSpot is something that could not be seen, and what it could hide.
type BlindSpot struct {
	What  string   `json:"what"`            // in a sentence
	Hides []string `json:"hides,omitempty"` // ids of the questions that it could hide a violation of; empty for all
	Do    string   `json:"do,omitempty"`    // what would help
	Phase string   `json:"phase,omitempty"`
}

// When a website was asked.
const (
	ProbeBefore = "before" // before the app's first launch
	ProbeAfter  = "after"  // after the last phase
	ProbeLater  = "later"  // in a recheck, before anything else
)

// About whom a website was asked.
const (
	ProbeIdentity = "identity" // the person whose canaries were planted
	ProbeDecoy    = "decoy"    // one who was planted nowhere
)

// What a website answers.
const (
	ProbeExists  = "exists"
	ProbeNot     = "does-not-exist"
	ProbeBlocked = "blocked" // a captcha, a rate limit, a refusal
	ProbeUnknown = "unknown" // it did not answer, or could not be asked
)

// Probe is what a service's own website answered when it was asked about one person,
// once. It stands in no arm and no phase: the app has no part in it.
type Probe struct {
	Name    string   `json:"name"`
	Source  Digest   `json:"source"`  // the probe's file, as a blob
	When    string   `json:"when"`    // ProbeBefore, ProbeAfter or ProbeLater
	Who     string   `json:"who"`     // ProbeIdentity or ProbeDecoy
	Entered []string `json:"entered"` // kinds of canaries that the website was shown
	Host    string   `json:"host"`    // of the address that it begins with
	Answer  string   `json:"answer"`  // one of the answers above
	Because string   `json:"because"` // in a sentence

	Began       time.Time `json:"began,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Sign        string    `json:"sign,omitempty"`   // what was seen on the page
	Step        int       `json:"step,omitempty"`   // at which it ended, from 1
	URL         string    `json:"url,omitempty"`    // of the page at the end
	Title       string    `json:"title,omitempty"`  // of that page
	Status      int       `json:"status,omitempty"` // its HTTP status
	UserAgent   string    `json:"user_agent,omitempty"`
	Screenshots []Digest  `json:"screenshots,omitempty"` // PNG; the last is the page at the end
	Page        Digest    `json:"page,omitempty"`        // its HTML
	Requests    Digest    `json:"requests,omitempty"`    // what the page asked for: a JSON list
}

// How an audit ended.
const (
	Completed   = "completed"
	Interrupted = "interrupted"
	Failed      = "failed"
)

// AuditEnd closes a log.
type AuditEnd struct {
	How   string `json:"how"` // Completed, Interrupted or Failed
	Error string `json:"error,omitempty"`
}
