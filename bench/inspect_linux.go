package main

import (
	"os"
	"syscall"
)

// peakMemory is the most resident memory of a process that ended, in MB.
func peakMemory(s *os.ProcessState) float64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return float64(usage.Maxrss) / 1000 // in KiB on Linux
}
