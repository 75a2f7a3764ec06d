// Goroutines and channels with the work of tests/bench/README.md: go --work W --messages N --seed S. Prints lines of
// «work value unit checksum»; ends with 69 where there is no such work.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const capacity = 1024
const batch = 100

type record struct {
	id   int
	name string
	tags []string
}

var seed int

func number(i int) int { return (i*7 + seed) % 1000003 }

// Sends n values made by one of the senders each, and sums them up in each of the receivers.
func stream[T any](n, senders, receivers int, make_ func(int) T, count func(T, int) int) (float64, int) {
	ch := make(chan T, capacity)
	sums := make(chan int, receivers)
	begun := time.Now()
	for s := 1; s <= senders; s++ {
		go func(s int) {
			for i := s; i <= n; i += senders {
				ch <- make_(i)
			}
		}(s)
	}
	for r := 0; r < receivers; r++ {
		go func() {
			sum := 0
			for i := 1; i <= n/receivers; i++ {
				sum += count(<-ch, i)
			}
			sums <- sum
		}()
	}
	sum := 0
	for r := 0; r < receivers; r++ {
		sum += <-sums
	}
	return float64(n) / time.Since(begun).Seconds(), sum
}

// The same from one to one, a hundred in a slice.
func batches[T any](n int, make_ func(int) T, count func(T, int) int) (float64, int) {
	ch := make(chan []T, capacity/batch)
	begun := time.Now()
	go func() {
		for first := 1; first <= n; first += batch {
			many := make([]T, 0, batch)
			for i := first; i < first+batch && i <= n; i++ {
				many = append(many, make_(i))
			}
			ch <- many
		}
		close(ch)
	}()
	sum, seen := 0, 0
	for many := range ch {
		for _, v := range many {
			seen++
			sum += count(v, seen)
		}
	}
	return float64(n) / time.Since(begun).Seconds(), sum
}

func oneByOne[T any](n int, make_ func(int) T, count func(T, int) int) (float64, int) {
	return stream(n, 1, 1, make_, count)
}

func one(v, i int) int { return v }

func text() func(int) string {
	var texts [16]string
	for k := range texts {
		texts[k] = strings.Repeat(string(rune('a'+(k+seed)%26)), 64)
	}
	return func(i int) string { return texts[i&15] }
}

func length(v string, i int) int {
	if i&63 == 0 {
		return len(v) + int(v[0])
	}
	return len(v)
}

func picture(i int) *record {
	return &record{number(i), "picture", []string{"red", "green", "blue", "black", "white"}}
}

func size(v *record, i int) int { return v.id + len(v.name) + len(v.tags) }

func pingpong(n int) (float64, int) {
	ping, pong := make(chan int), make(chan int)
	begun := time.Now()
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	sum := 0
	for i := 1; i <= n; i++ {
		ping <- number(i)
		sum += <-pong
	}
	close(ping)
	return time.Since(begun).Seconds() / float64(n) * 1e6, sum
}

func resident() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	var kib float64
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "VmRSS:") {
			fmt.Sscanf(strings.TrimPrefix(line, "VmRSS:"), "%g", &kib)
		}
	}
	return kib
}

// All alive at once, each waiting for a message; each answers one, and then all are stopped.
func crowd(n int) (started, kib, stopped, whole float64, sum int) {
	memory := resident()
	begun := time.Now()
	var ready, done sync.WaitGroup
	sums := make(chan int, capacity)
	boxes := make([]chan int, n)
	ready.Add(n)
	done.Add(n)
	for i := range boxes {
		boxes[i] = make(chan int, 1)
		go func(box chan int) {
			ready.Done()
			for v := range box {
				sums <- v
			}
			done.Done()
		}(boxes[i])
	}
	ready.Wait()
	started = time.Since(begun).Seconds()
	kib = resident() - memory
	go func() {
		for i := range boxes {
			boxes[i] <- number(i + 1)
		}
	}()
	for range boxes {
		sum += <-sums
	}
	stopping := time.Now()
	for i := range boxes {
		close(boxes[i])
	}
	done.Wait()
	return started, kib, time.Since(stopping).Seconds(), time.Since(begun).Seconds(), sum
}

func crunch(n, workers int) (float64, int) {
	sums := make(chan int)
	begun := time.Now()
	for w := 0; w < workers; w++ {
		go func() {
			x := seed
			for i := 0; i < n; i++ {
				x = (x*1103515245 + 12345) & 0x7fffffff
			}
			sums <- x
		}()
	}
	sum := 0
	for w := 0; w < workers; w++ {
		sum += <-sums
	}
	return time.Since(begun).Seconds(), sum
}

func main() {
	work := flag.String("work", "oneway-int", "")
	messages := flag.Int("messages", 100000, "")
	flag.IntVar(&seed, "seed", 1, "")
	flag.Parse()
	n := *messages / 4 * 4
	say := func(value float64, unit string, sum int) { fmt.Printf("%s %.3f %s %d\n", *work, value, unit, sum) }
	rate := func(value float64, sum int) { say(value, "msg/s", sum) }
	switch *work {
	case "oneway-int":
		rate(oneByOne(n, number, one))
	case "oneway-str64":
		rate(oneByOne(n, text(), length))
	case "oneway-table":
		rate(oneByOne(n, picture, size))
	case "batch-int":
		rate(batches(n, number, one))
	case "batch-str64":
		rate(batches(n, text(), length))
	case "batch-table":
		rate(batches(n, picture, size))
	case "fanin-int":
		rate(stream(n, 4, 1, number, one))
	case "fanout-int":
		rate(stream(n, 1, 4, number, one))
	case "pingpong":
		value, sum := pingpong(*messages)
		say(value, "us", sum)
	case "spawn":
		_, _, _, whole, sum := crowd(*messages)
		say(whole/float64(*messages)*1e6, "us", sum)
	case "idle-10k", "idle-100k":
		started, kib, _, _, sum := crowd(*messages)
		say(started/float64(*messages)*1e6, "us", sum)
		say(kib/float64(*messages), "KiB", sum)
	case "stop-10k", "stop-1k":
		_, _, stopped, _, sum := crowd(*messages)
		say(stopped*1e6, "us", sum)
	case "cpu-scaling":
		one, sum := crunch(*messages, 1)
		two, _ := crunch(*messages, 2)
		say(2*one/two, "x", sum)
	default:
		fmt.Fprintln(os.Stderr, "there is no work", *work)
		os.Exit(69)
	}
}
