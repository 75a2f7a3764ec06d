package chief_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"chief"
)

// deeper calls f with 64 bytes more of the stack in use for each step.
//
//go:noinline
func deeper(steps int, f func()) byte {
	if steps == 0 {
		f()
		return 0
	}
	var used [64]byte
	used[steps%64] = deeper(steps-1, f)
	return used[0]
}

var idle = chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })

// numbered are the calls that hand a number of ours to C, or get one back.
var numbered = map[string]func(c *chief.Chief, name string) error{
	"AddWorker": func(c *chief.Chief, name string) error { return c.AddWorker(name, idle) },
	"AddWorker with OnExit": func(c *chief.Chief, name string) error {
		return c.AddWorker(name, idle, chief.WorkerOptions{OnExit: func(chief.Exit) chief.Answer { return chief.Answer{} }})
	},
	"AddChief": func(c *chief.Chief, name string) error {
		return c.AddChief(name, func() (*chief.Chief, error) { return chief.New(chief.Options{}) })
	},
	"NewLog": func(*chief.Chief, string) error {
		_, err := chief.NewLog(chief.LogOptions{Sink: func(chief.Record) {}})
		return err
	},
	"OnShutdown":        func(c *chief.Chief, _ string) error { return c.OnShutdown(func() {}) },
	"AddValueToContext": func(c *chief.Chief, name string) error { return c.AddValueToContext(name, &name) },
	"GetWorker": func(c *chief.Chief, _ string) error {
		_, err := c.Pool().GetWorker("known")
		return err
	},
	"SetWorker": func(c *chief.Chief, name string) error { return c.Pool().SetWorker(name, idle) },
}

const inOwnProcess = "CHIEF_TEST_STACK"

// A goroutine's stack is moved when it grows, and Go's runtime then ends a program that has a small number in a pointer on
// it. Each call is made by goroutines with less and less room, so that in one of them it is this call's innermost part that
// finds the stack full; in a process of its own, where the numbers are still small.
func TestAStackMayBeMovedInAnyCall(t *testing.T) {
	if os.Getenv(inOwnProcess) == "" {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), inOwnProcess+"=1")
		said, err := again.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return
	}
	for what, call := range numbered {
		c := quiet(t, chief.Options{})
		must(t, c.AddWorker("known", idle))
		for steps := 0; steps < 64; steps++ {
			done := make(chan error)
			go deeper(steps, func() { done <- call(c, fmt.Sprint("w", steps)) })
			if err := <-done; err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}
