// What goroutines and channels reach with the same work. Prints lines of «work value unit».
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

func oneway(n int) float64 {
	ch := make(chan int, 1024)
	begun := time.Now()
	go func() {
		for i := 1; i <= n; i++ {
			ch <- i
		}
	}()
	sum := 0
	for i := 0; i < n; i++ {
		sum += <-ch
	}
	if sum != n*(n+1)/2 {
		panic("the sum of what was received is wrong")
	}
	return float64(n) / time.Since(begun).Seconds()
}

func pingpong(n int) float64 {
	ping, pong := make(chan int), make(chan int)
	begun := time.Now()
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	close(ping)
	return time.Since(begun).Seconds() / float64(n) * 1e6
}

func spawn(n int) float64 {
	stop := make(chan struct{})
	var ready, done sync.WaitGroup
	begun := time.Now()
	ready.Add(n)
	done.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			ready.Done()
			<-stop
			done.Done()
		}()
	}
	ready.Wait()
	close(stop)
	done.Wait()
	return time.Since(begun).Seconds() / float64(n) * 1e6
}

func main() {
	n := 1000000
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	fmt.Printf("oneway-int %.0f msg/s\n", oneway(n))
	fmt.Printf("pingpong %.2f us\n", pingpong(n/50))
	fmt.Printf("spawn %.2f us\n", spawn(1000))
}
