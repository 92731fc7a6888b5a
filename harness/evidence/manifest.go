package evidence

import (
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
)

// Manifest is what a sealed bundle says of itself. There is one way to write it,
// and Verify insists on that: a member that is added must be left out where it
// is empty, or it needs another Format.
type Manifest struct {
	Format    string          `json:"format"` // "unasked-bundle/1"
	Tool      string          `json:"tool"`
	Started   time.Time       `json:"started"`
	Sealed    time.Time       `json:"sealed"`
	End       AuditEnd        `json:"end"`
	Protocol  string          `json:"protocol"`  // name
	Knowledge Digest          `json:"knowledge"` // version of the knowledge that the audit ran with
	Device    Device          `json:"device"`
	App       App             `json:"app"`
	Identity  canary.Identity `json:"identity"` // the canaries
	Decoys    canary.Identity `json:"decoys"`   // never planted
	Events    uint64          `json:"events"`   // lines in log.jsonl
	LogSize   int64           `json:"log_size"` // bytes of log.jsonl
	Head      Digest          `json:"head"`     // SHA-256 of the last line, without its newline
	Blobs     []BlobEntry     `json:"blobs"`    // sorted by digest
}

// BlobEntry is one blob of the bundle.
type BlobEntry struct {
	SHA256 Digest `json:"sha256"`
	Size   int64  `json:"size"` // bytes
}
