// SPDX-License-Identifier: MIT

package main

import "time"

const (
	passes  = 4000000
	items   = 8000000
	selects = 2000000
)

func passOn(in, out chan int64, done chan struct{}) {
	for i := 0; i < passes/2; i++ {
		out <- <-in
	}
	done <- struct{}{}
}

// A ball between two goroutines that run the same code.
func measurePasses(name string, capacity int) {
	one, other, done := make(chan int64, capacity), make(chan int64, capacity), make(chan struct{})
	start := time.Now()
	go passOn(one, other, done)
	go passOn(other, one, done)
	one <- 1
	<-done
	<-one
	<-done
	print(name, nsEach(start, passes), "ns")
}

func measureBuffered() {
	queue := make(chan int64, 128)
	start := time.Now()
	go func() {
		for i := int64(0); i < items; i++ {
			queue <- i
		}
	}()
	for i := 0; i < items; i++ {
		<-queue
	}
	print("queue-buffered", nsEach(start, items), "ns")
}

func measureSelect() {
	var queues [8]chan int64
	for i := range queues {
		queues[i] = make(chan int64)
	}
	start := time.Now()
	go func() {
		for i := int64(0); i < selects; i++ {
			queues[i*5%8] <- i
		}
	}()
	for i := 0; i < selects; i++ {
		select {
		case <-queues[0]:
		case <-queues[1]:
		case <-queues[2]:
		case <-queues[3]:
		case <-queues[4]:
		case <-queues[5]:
		case <-queues[6]:
		case <-queues[7]:
		}
	}
	print("queue-select", nsEach(start, selects), "ns")
}
