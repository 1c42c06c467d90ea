// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

const (
	locks        = 50000000
	eventRounds  = 200
	eventWaiters = 1000
)

var mutex sync.Mutex

// measureMutex takes and releases a mutex that nobody else wants.
func measureMutex() {
	start := time.Now()
	for i := 0; i < locks; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
	print("queue-mutex", nsEach(start, locks), "ns")
}

// wakeAll closes a channel that all wait for, again and again.
func wakeAll(measure string, waiters int) {
	rounds := eventRounds * eventWaiters / waiters
	events := make([]chan struct{}, rounds)
	for i := range events {
		events[i] = make(chan struct{})
	}
	var left sync.WaitGroup
	left.Add(waiters)
	for i := 0; i < waiters; i++ {
		go func() {
			left.Done()
			for _, event := range events {
				<-event
				left.Done()
			}
		}()
	}
	left.Wait()
	start := time.Now()
	for _, event := range events {
		left.Add(waiters)
		close(event)
		left.Wait()
	}
	print(measure, nsEach(start, rounds*waiters), "ns")
}

func measureEvent() {
	wakeAll("queue-event", eventWaiters)
	wakeAll("queue-event-10k", 10*eventWaiters)
}
