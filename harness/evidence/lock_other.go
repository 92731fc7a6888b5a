//go:build !unix

package evidence

import "os"

// lock does nothing where the system has no flock(2).
func lock(*os.File) error { return nil }
