package judge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// How many digests that nothing explained are kept, and places of each, and how many
// texts of an app are tried with them.
const (
	mostTokens      = 20_000
	mostOccurrences = 8
	mostTexts       = 500_000
)

// unexplained are what looks like digests in messages, and was not recognised: they may
// have been made together with a text of the app, which is tried when all are known.
type unexplained struct {
	tokens []recognise.Token
	places [][]occurrence // of each token
	known  map[string]int // digest and form → token
	more   bool
}

// occurrence is one place of a token, with what has to be known of its message.
type occurrence struct {
	e     evidence.Event
	view  view // without hits
	asked asked
	token recognise.Token
}

// keep notes a view's digests that nothing explained.
func (s *sight) keep(e evidence.Event, v *view, a asked) {
	u := &s.unexplained
	for _, t := range v.tokens {
		key := t.Form + "\x00" + string(t.Digest)
		i, ok := u.known[key]
		if !ok {
			if len(u.tokens) == mostTokens {
				u.more = true
				return
			}
			if u.known == nil {
				u.known = map[string]int{}
			}
			i = len(u.tokens)
			u.known[key] = i
			u.tokens = append(u.tokens, t)
			u.places = append(u.places, nil)
		}
		if n := len(u.places[i]); n > 0 && u.places[i][n-1].e.Seq == e.Seq && strings.HasPrefix(t.Surface, u.places[i][n-1].token.Surface) {
			u.places[i] = u.places[i][:n-1] // the same, deeper in the message
		}
		if len(u.places[i]) < mostOccurrences {
			at := occurrence{e: e, view: *v, asked: a, token: t}
			at.view.hits, at.view.data, at.view.tokens = nil, nil, nil
			u.places[i] = append(u.places[i], at)
		}
	}
}

// salted tries the texts of an app as salts and keys, and calls found for each place of a
// digest that one explains, in the order in which the messages came. It says what could
// not be tried.
func (s *sight) salted(ctx context.Context, app evidence.App, found func(*occurrence)) (missed []string) {
	u := &s.unexplained
	if len(u.tokens) == 0 || len(app.Files) == 0 {
		return nil
	}
	var all []occurrence
	left := s.needles.Salted(u.tokens, s.texts(ctx, app, &missed), func(i int, h recognise.Hit) {
		for _, at := range u.places[i] {
			h := h
			h.Surface, h.Excerpt = at.token.Surface, at.token.Excerpt
			h.Chain = slices.Concat(at.token.Chain, h.Match.Chain)
			at.view.hits = []recognise.Hit{h}
			all = append(all, at)
		}
	})
	if left > 0 {
		missed = append(missed, fmt.Sprintf("%d texts of the app were too many to be tried as salts of digests", left))
	}
	if u.more {
		missed = append(missed, fmt.Sprintf("more than %d different digests were sent; the rest was not tried with the app's texts as salts", mostTokens))
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return int(a.e.Seq) - int(b.e.Seq) })
	for i := range all {
		found(&all[i])
	}
	return missed
}

// saltSpots says where not every value of a message was tried as the salt of a digest
// beside it.
func (c *inquiry) saltSpots() {
	messages := 0
	for _, n := range c.untried {
		messages += n
	}
	if messages > 0 {
		c.spots.note(fmt.Sprintf("In %s, to or from %s, not every value was tried as the salt of every digest beside it: there were too many.",
			counted(messages, "message", "messages"), strings.Join(sorted(c.untried), ", ")), "")
	}
}

// texts are the strings of an app, each once: those of its code, its resources and its
// manifest, and what stands in quotes in its web pages and scripts.
func (s *sight) texts(ctx context.Context, app evidence.App, missed *[]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		once := func(text string) bool {
			if seen[text] || len(seen) == mostTexts {
				return len(seen) < mostTexts
			}
			seen[text] = true
			return yield(text)
		}
		for _, f := range app.Files {
			if ctx.Err() != nil {
				return
			}
			going, err := s.textsOf(ctx, f, once)
			if err != nil {
				*missed = append(*missed, fmt.Sprintf("texts of the app's file %s could not be read, and were not tried as salts of digests: %v", f.Name, err))
			}
			if !going {
				return
			}
		}
	}
}

// textsOf calls each for the texts of one APK; it reports whether more are wanted.
func (s *sight) textsOf(ctx context.Context, f evidence.File, each func(string) bool) (bool, error) {
	blob, err := s.ev.Blob(f.Blob)
	if err != nil {
		return true, nil // imported traffic comes without the app
	}
	defer blob.Close()
	at, ok := blob.(io.ReaderAt)
	size := f.Size
	if !ok {
		data, err := io.ReadAll(io.LimitReader(blob, longestInside))
		if err != nil {
			return true, err
		}
		at, size = bytes.NewReader(data), int64(len(data))
	}
	going := true
	if apk, err := apkfile.Read(at, size); err == nil {
		for text, err := range apk.Strings(ctx) {
			if err != nil {
				continue // one part that is damaged; the others follow
			}
			if going = each(text); !going {
				return false, nil
			}
		}
	}
	err = entries(at, size, func(data []byte) {
		if going {
			going = quoted(data, each)
		}
	})
	return going, err
}

// longestQuoted is the most bytes of a text in quotes that is taken for one.
const longestQuoted = 128

// quoted calls each for what stands in quotes in a text, as in a script; it reports
// whether more are wanted.
func quoted(data []byte, each func(string) bool) bool {
	if binary(data[:min(len(data), 4<<10)]) {
		return true
	}
	for len(data) > 0 {
		i := bytes.IndexAny(data, "\"'`")
		if i < 0 {
			return true
		}
		mark := data[i]
		data = data[i+1:]
		end := bytes.IndexByte(data[:min(len(data), longestQuoted+1)], mark)
		if end <= 0 {
			continue
		}
		if text := data[:end]; bytes.IndexByte(text, '\n') < 0 && !each(string(text)) {
			return false
		}
	}
	return true
}
