package capture

import "io"

// abandoned is the body of a request on HTTP/2, as the transport is to see it.
//
// An origin may answer in full, or refuse, while the client holds its side open,
// as gRPC servers do. The transport then closes the body and waits for its own
// reading to end. The reverse proxy would let it wait until the client sends
// more; so the closing is passed on, and ends the reading.
type abandoned struct {
	io.ReadCloser
	x *exchange
}

// Close implements io.Closer. Without a connection to the origin nothing is read
// yet, and the body will be heard out.
func (b *abandoned) Close() error {
	b.x.mu.Lock()
	give := b.x.dialled
	b.x.givenUp = b.x.givenUp || give
	b.x.mu.Unlock()
	if !give {
		return nil
	}
	return b.ReadCloser.Close()
}

func (x *exchange) isGivenUp() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.givenUp
}
