package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// watchMemory follows the most memory that a process has had, in bytes, until done is
// closed. What wait4 tells is no measure of it: before a process runs its program it
// has its parent's memory, and that counts (see exec_mmap in Linux).
func watchMemory(pid int, done <-chan struct{}) <-chan int64 {
	most := make(chan int64, 1)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		last := int64(0)
		for {
			last = max(last, peak(pid))
			select {
			case <-done:
				most <- last
				return
			case <-tick.C:
			}
		}
	}()
	return most
}

// peak is the high-water mark of a process's resident memory; 0 once it has ended.
func peak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kB << 10
}
