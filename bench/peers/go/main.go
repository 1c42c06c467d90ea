// SPDX-License-Identifier: MIT

// Goroutines on one OS thread at a time (GOMAXPROCS=1), as everything it is compared with.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	yields   = 4000000
	spawns   = 1000000
	batch    = 100000
	messages = 4000000
	sleepers = 1000000
	scopes   = 500000
	leaves   = 1000000
	tooLate  = 3
)

func nsEach(start time.Time, count int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}

// runAll starts count goroutines and waits until all of them have ended.
func runAll(count int, run func(number int)) {
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		number := i
		go func() {
			defer all.Done()
			run(number)
		}()
	}
	all.Wait()
}

func yieldMany(count int) {
	for i := 0; i < count; i++ {
		runtime.Gosched()
	}
}

func measureYield() {
	start := time.Now()
	runAll(2, func(int) { yieldMany(yields / 2) })
	print("yield", nsEach(start, yields), "ns")
}

//go:noinline
func near() { runtime.Gosched() }

//go:noinline
func middle() { near() }

//go:noinline
func far() { middle() }

//go:noinline
func otherNear() { runtime.Gosched() }

//go:noinline
func otherFar() { otherNear() }

func measureCallers() {
	start := time.Now()
	runAll(2, func(number int) {
		for i := 0; i < yields/2; i++ {
			if number == 0 {
				far()
			} else {
				otherFar()
			}
		}
	})
	print("yield-callers", nsEach(start, yields), "ns")
}

// As many goroutines as in a batch, made ready in random order, each yielding 20 times.
func measureYield100k() {
	const each = 20
	starts := make([]chan struct{}, batch)
	var all sync.WaitGroup
	all.Add(batch)
	for i := range starts {
		start := make(chan struct{})
		starts[i] = start
		go func() {
			defer all.Done()
			<-start
			yieldMany(each)
		}()
	}
	yieldMany(2)
	shuffle(starts)
	start := time.Now()
	for _, one := range starts {
		close(one)
	}
	all.Wait()
	print("yield-100k", nsEach(start, batch*each), "ns")
}

func measureSpawn() {
	done := make(chan struct{})
	start := time.Now()
	for i := 0; i < spawns; i++ {
		go func() { done <- struct{}{} }()
		<-done
	}
	print("spawn", nsEach(start, spawns), "ns")
}

func measureBatch() {
	for _, name := range []string{"spawn-batch-cold", "spawn-batch"} {
		start := time.Now()
		runAll(batch, func(int) {})
		print(name, nsEach(start, batch), "ns")
	}
}

func measurePingpong() {
	toPong, toPing := make(chan int), make(chan int)
	start := time.Now()
	go func() {
		for message := range toPong {
			toPing <- message
		}
	}()
	for i := 0; i < messages/2; i++ {
		toPong <- i
		<-toPing
	}
	print("pingpong", nsEach(start, messages), "ns")
}

func measureParked(name string, count int, lead time.Duration) {
	var parked int64
	var all sync.WaitGroup
	all.Add(count)
	before := memoryBytes()
	start := time.Now()
	deadline := start.Add(lead)
	for i := 0; i < count; i++ {
		go func() {
			atomic.AddInt64(&parked, 1)
			time.Sleep(time.Until(deadline))
			all.Done()
		}()
	}
	for atomic.LoadInt64(&parked) < int64(count) {
		runtime.Gosched()
	}
	runtime.Gosched()
	create := time.Since(start)
	bytes := memoryBytes() - before
	if create >= lead {
		os.Exit(tooLate)
	}
	all.Wait()
	wake := time.Since(deadline)
	print(name+"-bytes", bytes/float64(count), "B")
	print(name+"-create", create.Seconds(), "s")
	print(name+"-wake", wake.Seconds(), "s")
}

func measureSleepers() {
	for _, name := range []string{"sleepers-1m", "sleepers-1m-warm"} {
		random := newRandom()
		durations := make([]time.Duration, sleepers)
		for i := range durations {
			durations[i] = time.Duration(random.below(uint64(time.Second)))
		}
		start := cpuSeconds()
		runAll(sleepers, func(number int) { time.Sleep(durations[number]) })
		print(name, cpuSeconds()-start, "s")
	}
}

func measureSleeps(name string, duration time.Duration) {
	var late []float64
	for i := 0; i < 300; i++ {
		start := time.Now()
		time.Sleep(duration)
		late = append(late, float64((time.Since(start)-duration).Nanoseconds())/1e3)
	}
	sort.Float64s(late)
	print(name, late[len(late)/2], "us")
}

// A receive that succeeds at once, under a context that would end it.
func receiveWithin(ctx context.Context, stop func(), ready chan int) {
	ready <- 1
	select {
	case <-ready:
	case <-ctx.Done():
		panic("timed out")
	}
	stop()
}

func measureScope() {
	ready := make(chan int, 1)
	deadline := time.Now().Add(time.Hour)
	start := time.Now()
	for i := 0; i < scopes; i++ {
		ctx, stop := context.WithDeadline(context.Background(), deadline)
		receiveWithin(ctx, stop, ready)
	}
	print("scope", nsEach(start, scopes), "ns")
	start = time.Now()
	for i := 0; i < scopes; i++ {
		ctx, stop := context.WithTimeout(context.Background(), time.Hour)
		receiveWithin(ctx, stop, ready)
	}
	print("scope-in", nsEach(start, scopes), "ns")
}

// skynet sends the sum of the leaves below: a tree of ten children a node, a channel for each.
func skynet(sum chan int, number, leaves int) {
	if leaves == 1 {
		sum <- number
		return
	}
	parts, total := make(chan int, 10), 0
	for i := 0; i < 10; i++ {
		go skynet(parts, number+i*(leaves/10), leaves/10)
	}
	for i := 0; i < 10; i++ {
		total += <-parts
	}
	sum <- total
}

func measureSkynet(name string) {
	start := time.Now()
	sum := make(chan int)
	go skynet(sum, 0, leaves)
	if <-sum != leaves*(leaves-1)/2 {
		panic("the sum is wrong")
	}
	print(name, time.Since(start).Seconds()*1e3, "ms")
}

// One million squares through a pool of a hundred goroutines, read in order.
func measurePoolMap() {
	type job struct {
		number int
		result chan int
	}
	jobs, order := make(chan job), make(chan chan int, 100)
	start := time.Now()
	for i := 0; i < 100; i++ {
		go func() {
			for one := range jobs {
				one.result <- one.number * one.number
			}
		}()
	}
	go func() {
		for i := 0; i < sleepers; i++ {
			result := make(chan int, 1)
			order <- result
			jobs <- job{i, result}
		}
		close(jobs)
		close(order)
	}()
	for result := range order {
		<-result
	}
	print("pool-map", nsEach(start, sleepers), "ns")
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}

func serve(path string) {
	network, address, port := "tcp", "127.0.0.1:0", 0
	if path != "" {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	must(err)
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		port = tcp.Port
	}
	fmt.Println("ready", port)
	for {
		connection, err := listener.Accept()
		must(err)
		go echo(connection)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	measure, argument := "", ""
	if len(os.Args) > 1 {
		measure = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	seconds, _ := strconv.ParseFloat(argument, 64)
	lead := time.Duration(seconds * 1e9)
	measures := map[string]func(){
		"yield":                measureYield,
		"yield-callers":        measureCallers,
		"yield-100k":           measureYield100k,
		"spawn":                measureSpawn,
		"spawn-batch":          measureBatch,
		"pingpong":             measurePingpong,
		"parked-100k":          func() { measureParked(measure, batch, lead) },
		"parked-1m":            func() { measureParked(measure, sleepers, lead) },
		"sleepers-1m":          measureSleepers,
		"sleep-100us":          func() { measureSleeps(measure, 100*time.Microsecond) },
		"sleep-1ms":            func() { measureSleeps(measure, time.Millisecond) },
		"scope":                measureScope,
		"queue-pingpong":       func() { measurePasses(measure, 1) },
		"queue-rendezvous":     func() { measurePasses(measure, 0) },
		"queue-buffered":       measureBuffered,
		"queue-select":         measureSelect,
		"echo":                 func() { serve(argument) },
		"queue-skynet":         func() { measureSkynet(measure) },
		"queue-skynet-channel": func() { measureSkynet(measure) },
		"pool-map":             measurePoolMap,
		"queue-mutex":          measureMutex,
		"queue-event":          measureEvent,
	}
	run, ok := measures[measure]
	if !ok {
		fmt.Fprintln(os.Stderr, "no measure", measure)
		os.Exit(2)
	}
	run()
}
