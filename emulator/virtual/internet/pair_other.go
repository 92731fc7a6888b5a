//go:build !unix

package internet

import (
	"errors"
	"net"
)

// pair returns the two ends of a connection over the loopback interface, whose
// listener is gone before either end is used.
func pair() (net.Conn, net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	far, err := l.Accept()
	if err != nil {
		near.Close()
		return nil, nil, err
	}
	if far.RemoteAddr().String() != near.LocalAddr().String() {
		near.Close()
		far.Close()
		return nil, nil, errors.New("another process came in between")
	}
	return near, far, nil
}
