package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks of /proc's CPU times in a second: USER_HZ, which Linux fixes at 100.
const ticks = 100

// Memory of a process, in megabytes of 10^6 bytes.
type memory struct {
	// resident is what it holds now, and peak what it held at most.
	resident, peak float64
	// anonymous is what of resident it has written, and program what are pages of
	// its executable: these the kernel drops and reads again as it needs to.
	anonymous, program float64
}

// memoryOf a process.
func memoryOf(pid int) (m memory, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, err
	}
	for name, to := range map[string]*float64{"VmRSS": &m.resident, "VmHWM": &m.peak, "RssAnon": &m.anonymous, "RssFile": &m.program} {
		kib, err := strconv.ParseFloat(strings.TrimSuffix(field(string(status), name, ""), " kB"), 64)
		if err != nil {
			return m, fmt.Errorf("/proc/%d/status has no %s: %w", pid, name, err)
		}
		*to = kib * 1024 / 1e6
	}
	return m, nil
}

// cpuOf returns the CPU time that a process has used.
func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name of the program is in parentheses and may hold anything; utime and
	// stime are the 12th and 13th field after it.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var sum int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}
