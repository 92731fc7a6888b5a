// Package reports turns a judgement and its evidence into documents that people
// and machines read: a terminal summary, one self-contained HTML page, JSON with
// a published schema, and JUnit.
//
// Call [Write] with one of [Formats]. A report concludes nothing of its own: it
// says what package judge found, opens the evidence at the places that prove it,
// and says what could not be seen. Everything in it that came from an app, a
// service or a device is shown as inert text.
package reports

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Input is what a report is made of.
type Input struct {
	Evidence  evidence.Evidence
	Judgement *judge.Judgement
}

// The formats.
const (
	FormatText  = "text"  // a summary for a terminal
	FormatHTML  = "html"  // one self-contained file
	FormatJSON  = "json"  // docs/report.schema.json
	FormatJUnit = "junit" // XML, for CI
)

// Formats lists the formats that [Write] knows, in the order in which they are documented.
func Formats() []string {
	return []string{FormatText, FormatHTML, FormatJSON, FormatJUnit}
}

// Extension is the file name extension of a format, with its dot; empty for a format that is not known.
func Extension(format string) string {
	switch format {
	case FormatText:
		return ".txt"
	case FormatHTML:
		return ".html"
	case FormatJSON:
		return ".json"
	case FormatJUnit:
		return ".xml"
	}
	return ""
}

// Write writes a report in one of [Formats] to w. The text format is coloured where w is
// a terminal, TERM is not "dumb" and NO_COLOR is not set. The same input gives the same bytes.
func Write(ctx context.Context, format string, w io.Writer, in Input) error {
	if in.Evidence == nil || in.Judgement == nil {
		return fmt.Errorf("report: needs both evidence and a judgement")
	}
	write, ok := map[string]func(context.Context, io.Writer, Input) error{
		FormatText:  writeText,
		FormatHTML:  writeHTML,
		FormatJSON:  writeJSON,
		FormatJUnit: writeJUnit,
	}[format]
	if !ok {
		return fmt.Errorf("report format %q is not known; the formats are %s", format, strings.Join(Formats(), ", "))
	}
	if err := write(ctx, w, in); err != nil {
		return fmt.Errorf("write %s report: %w", format, err)
	}
	return nil
}
