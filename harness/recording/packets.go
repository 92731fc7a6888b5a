package recording

import (
	"context"
	"errors"
	"io"
)

// Packets imports a packet capture.
func Packets(ctx context.Context, in io.Reader, o Options) (*Recording, error) {
	return nil, errors.ErrUnsupported
}
