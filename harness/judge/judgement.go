package judge

import (
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
)

// Verdict is the answer to a question. There is no "compliant".
type Verdict string

// The verdicts.
const (
	Violated      Verdict = "violated"
	NotObserved   Verdict = "not observed"
	Inconclusive  Verdict = "inconclusive"
	NotApplicable Verdict = "not applicable"
)

// The questions that an audit asks, by id.
const (
	QuestionAccount       = "no-account"        // creates no account without sign-up
	QuestionIdentifier    = "no-identifier"     // sends no identifier at all without sign-up
	QuestionBeforeConsent = "no-before-consent" // sends no identifier before a choice
	QuestionAfterReject   = "no-after-reject"   // sends no identifier after rejection
	QuestionDraft         = "no-draft"          // uploads no draft
	QuestionDeviceAccount = "no-device-account" // leaves no account on the device
	QuestionRecoverable   = "no-recoverable"    // keeps no account that comes back after a wipe
	QuestionWaits         = "nothing-waits"     // nothing waits for the next installation
	QuestionContinuity    = "no-continuity"     // a sign-up begins with nothing from before
	QuestionOutside       = "website-unaware"   // the service's website knows nobody who did not sign up
)

// Claim is what a finding says happened.
type Claim string

// The claims.
const (
	IdentifierSent      Claim = "identifier-sent"      // a canary went to somebody
	IdentifierReturned  Claim = "identifier-returned"  // a service answered with a canary
	InstallationIssued  Claim = "installation-issued"  // L2
	SessionIssued       Claim = "session-issued"       // a guest session, no account
	AccountCreated      Claim = "account-created"      // L3
	AccountRecoverable  Claim = "account-recoverable"  // L4: the same identity gets it back after a wipe
	AccountObject       Claim = "account-object"       // L5: it has a profile, or is older than the installation
	AccountContinued    Claim = "account-continued"    // L6: a sign-up went on with it
	AccountConfirmed    Claim = "account-confirmed"    // L7: the service's website knows the person since the app ran
	DeviceRemembered    Claim = "device-remembered"    // L2: an installation id that comes back after a wipe
	DraftUploaded       Claim = "draft-uploaded"       // a recording that was never posted left the device
	FeatureVectorSent   Claim = "feature-vector-sent"  // landmarks or an embedding of a face went with a draft
	DeviceAccountAdded  Claim = "device-account-added" // in the device's account manager
	CredentialsKept     Claim = "credentials-kept"     // a minted credential lies in the app's private files
	IdentifierIsOnlyApp Claim = "identifier-on-device" // a canary lies in the app's private files
)

// Judgement is all that follows from the evidence.
type Judgement struct {
	Verdict    Verdict             `json:"verdict"` // of the whole: violated if any question is, else inconclusive if any is
	Ladder     int                 `json:"ladder"`  // the highest level reached without sign-up, 0 to 7
	Questions  []Question          `json:"questions"`
	Findings   []Finding           `json:"findings"`    // by level and claim, stable
	BlindSpots []BlindSpot         `json:"blind_spots"` // what could not be seen
	Coverage   Coverage            `json:"coverage"`
	Decoys     DecoyResult         `json:"decoys"`
	Recipients []Recipient         `json:"recipients"` // every host that was talked to
	Opaque     []OpaqueDestination `json:"opaque"`     // what could not be read, by destination and consent state
	Names      []Name              `json:"names"`      // host names that the device asked for
	// SDKs are the code of others in the app, where the evidence holds the app and it has any.
	SDKs      []EmbeddedSDK   `json:"sdks,omitempty"`
	Dossier   *Holdings       `json:"dossier,omitempty"` // what each company now holds
	Knowledge evidence.Digest `json:"knowledge"`         // the knowledge that was judged with

	// Refused are the values that are not looked for, with the reason.
	Refused []recognise.Refusal `json:"-"`
	// Issued is what services gave out, in the order of the log, place by place. The
	// findings hold the same with the proof that fits on a page.
	Issued []Issued `json:"-"`
}

// Question is one question with its answer.
type Question struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"` // "creates no account without sign-up"
	Verdict  Verdict  `json:"verdict"`
	Because  string   `json:"because"`            // in a sentence
	Findings []string `json:"findings,omitempty"` // ids of the findings that violate it
}

// Finding is a claim with its proof.
type Finding struct {
	ID        string           `json:"id"` // hash of claim, subject and proof's places: two audits can be compared by it
	Claim     Claim            `json:"claim"`
	Level     int              `json:"level,omitempty"`   // ladder level, where the claim has one
	Title     string           `json:"title"`             // one line for a person
	Subject   string           `json:"subject"`           // the canary's kind, the service, the account type
	Value     string           `json:"value,omitempty"`   // the canary's or the minted value
	Host      string           `json:"host,omitempty"`    // to whom
	Owner     string           `json:"owner,omitempty"`   // the company behind the host, if known
	Country   string           `json:"country,omitempty"` // the owner's, ISO 3166-1 alpha-2
	Phase     string           `json:"phase"`             // where it was first seen
	Consent   evidence.Consent `json:"consent,omitempty"`
	Phases    []string         `json:"phases"`           // all phases it was seen in
	Signup    bool             `json:"signup,omitempty"` // a person's sign-up precedes it: no violation
	Proof     []Pointer        `json:"proof"`
	Seen      Repeats          `json:"seen"`
	Grounds   string           `json:"grounds"`             // why we think so, in a sentence
	Signature string           `json:"signature,omitempty"` // id in the knowledge base, where one fitted

	// Confidence is how sure the surest of the proof is, from 0 to 1, and Reason why; only
	// of identifiers. A finding that is only possible violates no question.
	Confidence float64 `json:"confidence,omitempty"`
	Reason     string  `json:"reason,omitempty"`
	Possible   bool    `json:"possible,omitempty"`
	// Unseen says that a service knows what nobody was seen sending it.
	Unseen bool `json:"unseen,omitempty"`

	// Experiment is what arms that were compared say, where the claim rests on them.
	Experiment *Experiment `json:"experiment,omitempty"`
}

// Experiment is a comparison of arm runs.
type Experiment struct {
	Arms  []string `json:"arms"`  // labels of the runs that it rests on
	Again Repeats  `json:"again"` // runs with the same identity after a wipe that were given the same id
	New   Repeats  `json:"new"`   // runs with a new identity that were given it
	P     string   `json:"p"`     // of Fisher's exact test, one-sided, as a fraction: "1/252"
	// PValue is P as a number.
	PValue float64 `json:"p_value"`
	// HangsOn are the kinds of identifiers, or other sources, without each of which the
	// account is gone; empty where that is not known, and Open says why.
	HangsOn []string `json:"hangs_on"`
	Open    string   `json:"open,omitempty"`
	Sources []Change `json:"sources"` // that were changed, one at a time
	// SignUps are those that went on with the id that was there before.
	SignUps *Repeats `json:"sign_ups,omitempty"`
	// Runs are the arm runs with the id that each was given, by role.
	Runs []ArmRun `json:"runs,omitempty"`
}

// ArmRun is one arm run and what the service answered in it.
type ArmRun struct {
	Arm    string `json:"arm"`              // its label
	Role   string `json:"role"`             // A, F, B, C, D or G
	Repeat int    `json:"repeat"`           // from 1
	Change string `json:"change,omitempty"` // of role C: the source that was changed
	ID     string `json:"id,omitempty"`     // empty where the service gave none
	Then   string `json:"then,omitempty"`   // the id after the restart (F) or the sign-up (G)
	Undone string `json:"undone,omitempty"` // why the run could not be done, or does not count
}

// Change is what changing one source did.
type Change struct {
	Source string  `json:"source"`           // a kind of canary, hardware or exit_address
	Other  Repeats `json:"other"`            // runs that were given another id
	P      string  `json:"p,omitempty"`      // against the runs in which nothing was changed
	Undone string  `json:"undone,omitempty"` // why it could not be changed
}

// Repeats is k of n.
type Repeats struct {
	Times int `json:"times"` // repeats in which it was seen
	Of    int `json:"of"`    // repeats in which a phase ran where it could be seen
}

// Pointer is a place in the evidence.
type Pointer struct {
	Event   uint64           `json:"event"`           // sequence number in the log
	Flow    flow.ID          `json:"flow,omitempty"`  // where the place is in a flow
	Side    string           `json:"side,omitempty"`  // "request" or "response", where it is in a flow
	Surface string           `json:"surface"`         // url, header:NAME, cookie:NAME, body, body:$.path, ws:N, host, file:PATH, device
	Chain   []string         `json:"chain,omitempty"` // decodings and hashes, outermost first: ["gzip","base64","sha256","hex"]
	Excerpt string           `json:"excerpt"`         // what stands there, cut to 200 bytes, printable
	Phase   string           `json:"phase,omitempty"`
	Consent evidence.Consent `json:"consent,omitempty"`
	Blob    evidence.Digest  `json:"blob,omitempty"` // the blob it is in
	Role    string           `json:"role,omitempty"` // for accounts: minted, stored, used; bearer, cookie, path ...

	Confidence float64 `json:"confidence,omitempty"` // of an identifier, from 0 to 1
	Reason     string  `json:"reason,omitempty"`     // why it is that sure
}

// BlindSpot is something that could not be seen.
type BlindSpot struct {
	What  string   `json:"what"`
	Hides []string `json:"hides"` // ids of questions that it makes inconclusive
	Do    string   `json:"do,omitempty"`
	Event uint64   `json:"event,omitempty"`
}

// Coverage says how much of the traffic was read.
type Coverage struct {
	Flows      int    `json:"flows"`                 // requests read
	Messages   int    `json:"messages,omitempty"`    // messages of WebSockets read, from the device
	Opaque     int    `json:"opaque"`                // connections that could not be read
	Sent       int64  `json:"sent"`                  // bytes of requests read: request line, headers and bodies
	Received   int64  `json:"received"`              // bytes of responses read
	OpaqueSent int64  `json:"opaque_sent"`           // bytes that went through unread
	KernelSent uint64 `json:"kernel_sent,omitempty"` // bytes that the kernel counted for the app's uid; 0 where unknown
	KernelRecv uint64 `json:"kernel_received,omitempty"`

	// Of the bytes that the app sent: those that were captured in the clear, those that
	// came by and could not be read, and those that the kernel counted and that never
	// came by. PerMille is the first of all three, in thousandths; it is 1000 where
	// nothing was sent. Where the kernel did not count, it is of what came by only.
	Clear    int64 `json:"clear"`
	Unread   int64 `json:"unread"`
	Missing  int64 `json:"missing"`
	PerMille int   `json:"per_mille"`
	// Counted says that the kernel's count is in the evidence.
	Counted bool `json:"counted"`
	// Basis says what the bytes that came by were counted on.
	Basis Basis `json:"basis"`
	// Overhead is how many of the kernel's bytes its own packets explain, at most:
	// headers, acknowledgements, what was sent again. It is estimated, and none of
	// them count as missing.
	Overhead int64 `json:"overhead,omitempty"`
	// Wanted is the least share that the protocol asks for, in thousandths; 0 for none.
	Wanted int `json:"wanted,omitempty"`
}

// Basis is what bytes were counted on.
type Basis string

// The bases.
const (
	OnTheWire  Basis = "wire"     // connections as they were on the wire, TLS and all
	InRequests Basis = "requests" // requests as they were read, headers uncompressed
)

// OpaqueDestination is what one destination was sent in one consent state, and nobody could read.
type OpaqueDestination struct {
	Host        string           `json:"host"`
	Owner       string           `json:"owner,omitempty"`
	Country     string           `json:"country,omitempty"`
	Consent     evidence.Consent `json:"consent,omitempty"`
	Bytes       int64            `json:"bytes"`       // from the device
	Requests    int              `json:"requests"`    // read, with a body or a part of one that stayed closed
	Connections int              `json:"connections"` // not read at all
	Why         []string         `json:"why"`
	Event       uint64           `json:"event"` // the first
}

// Name is a host name that the device asked for.
type Name struct {
	Name    string   `json:"name"`
	Owner   string   `json:"owner,omitempty"`
	Times   int      `json:"times"`
	Types   []string `json:"types"`             // of records: A, AAAA, HTTPS ...
	Via     []string `json:"via"`               // how it was asked: udp, tcp, dot, doh
	Error   string   `json:"error,omitempty"`   // why there was no answer, where none of the questions had one
	Refused bool     `json:"refused,omitempty"` // no answer was given, so that another resolver is asked
	Read    bool     `json:"read"`              // requests to it were read
	Event   uint64   `json:"event"`             // the first
}

// DecoyResult is this audit's own measure of false positives.
type DecoyResult struct {
	Decoys  int       `json:"decoys"`  // values searched for that were never planted
	Matches []Pointer `json:"matches"` // must be empty
}

// Recipient is a host that the app talked to.
type Recipient struct {
	Host    string   `json:"host"`
	Owner   string   `json:"owner,omitempty"`
	Country string   `json:"country,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
	Source  string   `json:"source,omitempty"` // of the owner's entry
	Flows   int      `json:"flows"`
	Sent    int64    `json:"sent"`  // bytes
	Kinds   []string `json:"kinds"` // canary kinds that it was sent
}
