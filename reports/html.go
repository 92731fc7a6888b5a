package reports

import (
	"context"
	"errors"
	"io"
)

func writeHTML(ctx context.Context, w io.Writer, in Input) error {
	return errors.New("not written yet")
}
