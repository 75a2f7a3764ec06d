// Go workers of one chief with the work of tests/bench/README.md: --work W --messages N --seed S. Prints «work value unit
// checksum»; ends with 69 where there is no such work.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"chief"
)

const (
	capacity  = 1024
	batch     = 100
	noSuch    = 69
	hasFailed = 1
)

var (
	work     = flag.String("work", "", "which")
	messages = flag.Int("messages", 200000, "how many")
	seed     = flag.Int("seed", 1, "of the numbers")
)

func number(i int) int { return (i*7 + *seed) % 1000003 }

func sendOne(w *chief.Context) error {
	out, err := w.Channel("numbers")
	for i := 1; err == nil && i <= *messages; i++ {
		err = out.Send(w, number(i))
	}
	return err
}

func sendMany(w *chief.Context) error {
	out, err := w.Channel("numbers")
	values := make([]any, 0, batch)
	for i := 1; err == nil && i <= *messages; i++ {
		values = append(values, number(i))
		if len(values) == batch || i == *messages {
			_, err = out.SendMany(w, values)
			values = values[:0]
		}
	}
	return err
}

// add counts a message in.
func add(sum *int64, m *chief.Message) error {
	v, err := m.Value()
	if err == nil {
		*sum += v.(int64)
	}
	return err
}

func receiveOne(w *chief.Context, sum *int64) error {
	in, err := w.Channel("numbers")
	for i := 0; err == nil && i < *messages; i++ {
		var m *chief.Message
		if m, err = in.Recv(w); err == nil {
			err = add(sum, m)
		}
	}
	return err
}

func receiveMany(w *chief.Context, sum *int64) error {
	in, err := w.Channel("numbers")
	for got := 0; err == nil && got < *messages; {
		var list []*chief.Message
		list, err = in.RecvMany(w, batch)
		for _, m := range list {
			if err := add(sum, m); err != nil {
				return err
			}
		}
		got += len(list)
	}
	return err
}

// stream measures from the first message to the last.
func stream(send chief.Func, receive func(*chief.Context, *int64) error) error {
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelOff})
	if err != nil {
		return err
	}
	c, err := chief.New(chief.Options{ExitWhenDone: true, Log: log})
	if err != nil {
		return err
	}
	defer c.Close()
	var begun, over time.Time
	var sum int64
	err = c.AddChannel("numbers", chief.ChannelOptions{Capacity: capacity})
	if err == nil {
		err = c.AddWorker("receiver", chief.Func(func(w *chief.Context) error {
			err := receive(w, &sum)
			over = time.Now()
			return err
		}))
	}
	if err == nil {
		err = c.AddWorker("sender", chief.Func(func(w *chief.Context) error {
			begun = time.Now()
			return send(w)
		}), chief.WorkerOptions{After: []string{"receiver"}})
	}
	if err == nil {
		err = c.RunAll("bench")
	}
	if err == nil {
		fmt.Printf("%s %.0f msg/s %d\n", *work, float64(*messages)/over.Sub(begun).Seconds(), sum)
	}
	return err
}

func main() {
	flag.Parse()
	var err error
	switch *work {
	case "binding-oneway":
		err = stream(sendOne, receiveOne)
	case "binding-batch":
		err = stream(sendMany, receiveMany)
	default:
		os.Exit(noSuch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(hasFailed)
	}
}
