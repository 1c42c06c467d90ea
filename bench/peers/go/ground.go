// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func print(measure string, value float64, unit string) {
	fmt.Println(measure, value, unit)
}

// memoryBytes is what resident pages and page tables take.
func memoryBytes() float64 {
	status, err := os.Open("/proc/self/status")
	must(err)
	defer status.Close()
	var total float64
	for lines := bufio.NewScanner(status); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			var name string
			var kib float64
			_, err := fmt.Sscan(line, &name, &kib)
			must(err)
			total += kib * 1024
		}
	}
	return total
}

// cpuSeconds is user and system time of all threads of this process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

type random struct{ state uint64 }

func newRandom() *random { return &random{42} }

func (r *random) below(end uint64) uint64 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 7
	r.state ^= r.state << 17
	return r.state * 0x2545f4914f6cdd1d % end
}

func shuffle(items []chan struct{}) {
	random := newRandom()
	for i := len(items) - 1; i > 0; i-- {
		j := random.below(uint64(i) + 1)
		items[i], items[j] = items[j], items[i]
	}
}
