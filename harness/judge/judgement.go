package judge

import (
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
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
)

// Claim is what a finding says happened.
type Claim string

// The claims.
const (
	IdentifierSent      Claim = "identifier-sent"      // a canary went to somebody
	InstallationIssued  Claim = "installation-issued"  // L2
	SessionIssued       Claim = "session-issued"       // a guest session, no account
	AccountCreated      Claim = "account-created"      // L3 and up
	DraftUploaded       Claim = "draft-uploaded"       // a recording that was never posted left the device
	FeatureVectorSent   Claim = "feature-vector-sent"  // landmarks or an embedding of a face went with a draft
	DeviceAccountAdded  Claim = "device-account-added" // in the device's account manager
	CredentialsKept     Claim = "credentials-kept"     // a minted credential lies in the app's private files
	IdentifierIsOnlyApp Claim = "identifier-on-device" // a canary lies in the app's private files
)

// Judgement is all that follows from the evidence.
type Judgement struct {
	Verdict    Verdict         `json:"verdict"` // of the whole: violated if any question is, else inconclusive if any is
	Ladder     int             `json:"ladder"`  // the highest level reached without sign-up, 0 to 7
	Questions  []Question      `json:"questions"`
	Findings   []Finding       `json:"findings"`    // by level and claim, stable
	BlindSpots []BlindSpot     `json:"blind_spots"` // what could not be seen
	Coverage   Coverage        `json:"coverage"`
	Decoys     DecoyResult     `json:"decoys"`
	Recipients []Recipient     `json:"recipients"` // every host that was talked to
	Knowledge  evidence.Digest `json:"knowledge"`  // the knowledge that was judged with
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
	Opaque     int    `json:"opaque"`                // connections that could not be read
	Sent       int64  `json:"sent"`                  // bytes of requests read: request line, headers and bodies
	Received   int64  `json:"received"`              // bytes of responses read
	OpaqueSent int64  `json:"opaque_sent"`           // bytes that went through unread
	KernelSent uint64 `json:"kernel_sent,omitempty"` // bytes that the kernel counted for the app's uid; 0 where unknown
	KernelRecv uint64 `json:"kernel_received,omitempty"`
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
