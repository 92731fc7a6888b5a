package judge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/unasked-audit/unasked/harness/apk"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// EmbeddedSDK is code of somebody else that lies in the app, and the hosts of its maker
// that were talked to: two facts. That both hold does not say that this code sent what
// the host received, for others may talk to it as well.
type EmbeddedSDK struct {
	ID      string   `json:"id"` // in the knowledge base
	Name    string   `json:"name"`
	Owner   string   `json:"owner"`
	Country string   `json:"country,omitempty"` // of who controls the owner, ISO 3166-1 alpha-2
	Purpose []string `json:"purpose"`
	Marks   []string `json:"marks"` // by what it was recognised, such as "class com.example.A"
	Talked  []Talked `json:"talked"`
}

// Talked is a host that an embedded SDK is known to talk to, and that was talked to.
type Talked struct {
	Host   string `json:"host"`
	Read   bool   `json:"read"`   // requests were read; otherwise only a connection was seen
	Shared bool   `json:"shared"` // another SDK of the app is known to talk to it as well
}

// embedded reads what the app carries, where the evidence holds its files.
func (c *inquiry) embedded(ctx context.Context) error {
	var files []apk.Blob
	for _, f := range c.app.Files {
		blob, err := c.ev.Blob(f.Blob)
		if err != nil {
			continue // imported traffic comes without the app
		}
		defer blob.Close()
		at, ok := blob.(io.ReaderAt)
		size := f.Size
		if !ok {
			data, err := io.ReadAll(io.LimitReader(blob, longestInside))
			if err != nil {
				return fmt.Errorf("read the app's file %s: %w", f.Name, err)
			}
			at, size = bytes.NewReader(data), int64(len(data))
		}
		files = append(files, apk.Blob{Name: f.Name, At: at, Size: size})
	}
	if len(files) == 0 {
		return nil
	}
	kb, err := c.kb.Carried()
	if err != nil {
		return err
	}
	sdks, problems, err := apk.Carries(ctx, kb, files...)
	if err != nil {
		return err
	}
	for _, p := range problems {
		c.spots.note("Which code of others the app carries is not known in full: "+p, "")
	}
	c.carries, c.sdks = sdks, &kb.SDKs
	return nil
}

// joinSDKs says which of an app's SDKs were seen talking: read are hosts whose requests
// were read, closed those of connections that could not be.
func joinSDKs(carries []apk.SDK, kb *knowledge.SDKs, read, closed []string) []EmbeddedSDK {
	out := make([]EmbeddedSDK, 0, len(carries))
	index := map[string]int{}
	for _, s := range carries {
		e := EmbeddedSDK{ID: s.ID, Name: s.Name, Owner: s.Owner, Country: s.Country, Purpose: s.Purpose, Marks: []string{}, Talked: []Talked{}}
		if s.Ultimate != "" {
			e.Owner += " (" + s.Ultimate + ")"
		}
		for _, m := range s.Matched {
			e.Marks = append(e.Marks, m.Kind+" "+m.Where)
		}
		index[s.ID] = len(out)
		out = append(out, e)
	}
	seen := map[string]bool{}
	for i, hosts := range [][]string{read, closed} {
		for _, host := range slices.Sorted(slices.Values(hosts)) {
			if seen[host] {
				continue
			}
			seen[host] = true
			var of []int
			for _, s := range kb.TalkingTo(host) {
				if at, ok := index[s.ID]; ok {
					of = append(of, at)
				}
			}
			for _, at := range of {
				out[at].Talked = append(out[at].Talked, Talked{Host: host, Read: i == 0, Shared: len(of) > 1})
			}
		}
	}
	return out
}
