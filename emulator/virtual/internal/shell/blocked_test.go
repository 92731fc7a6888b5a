package shell

import "os"

// blockedInput is a standard input on which nothing ever comes.
func blockedInput() (in *os.File, closeBoth func()) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	return r, func() {
		r.Close()
		w.Close()
	}
}
