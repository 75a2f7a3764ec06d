package chief_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"chief"
)

// quiet is a chief that logs nothing, and is closed at the end of the test.
func quiet(t *testing.T, options chief.Options) *chief.Chief {
	t.Helper()
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelOff})
	must(t, err)
	options.Log = log
	c, err := chief.New(options)
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("should be «%v», got «%v»", target, err)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("should be %v, got %v", want, got)
	}
}

// within is a context that is done when a test has taken too long.
func within(t *testing.T) context.Context {
	t.Helper()
	slow, err := strconv.ParseFloat(os.Getenv("CHIEF_TEST_SLOW"), 64)
	if err != nil || slow < 1 {
		slow = 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(slow*30)*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// launch starts what was added.
func launch(t *testing.T, c *chief.Chief) {
	t.Helper()
	must(t, c.InitWorkers(nil))
	must(t, c.Launch(context.Background()))
}

func stop(t *testing.T, c *chief.Chief) error {
	t.Helper()
	must(t, c.Stop())
	return c.Join(within(t))
}

// lua are the options of a worker from tests/workers.
func lua(options chief.WorkerOptions) chief.LuaOptions {
	return chief.LuaOptions{WorkerOptions: options, Path: "tests/workers/?.lua"}
}

type sleeper struct {
	ctx context.Context
	ran chan<- string
}

func (s *sleeper) Init(ctx context.Context) chief.Worker { return &sleeper{ctx, s.ran} }
func (s *sleeper) RestartOnFail() bool                   { return true }
func (s *sleeper) Run()                                  { s.ran <- "begin"; <-s.ctx.Done(); s.ran <- "end" }

func TestWorkerOfThePackageRoutinesRunsUnchanged(t *testing.T) {
	ran := make(chan string, 2)
	c := new(chief.Chief)
	defer c.Close()
	must(t, c.AddWorker("sleeper", &sleeper{ran: ran}))
	ctx, cancel := context.WithCancel(context.Background())
	must(t, c.InitWorkers(silent{}))
	started := make(chan error)
	go func() { started <- c.Start(ctx) }()
	equal(t, <-ran, "begin")
	equal(t, c.GetWorkersStates()["sleeper"], chief.WorkerRun)
	cancel()
	equal(t, <-ran, "end")
	must(t, <-started)
	equal(t, c.ExitCode(), 0)
}

// silent is a logger of another package's.
type silent struct{}

func (silent) Debug(...any) {}
func (silent) Info(...any)  {}
func (silent) Warn(...any)  {}
func (silent) Error(...any) {}

func TestGoAndLuaExchangeValues(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("jobs"))
	must(t, c.AddChannel("done"))
	must(t, c.AddLua("double", "double", lua(chief.WorkerOptions{Args: map[string]any{"by": 2}})))
	sums := make(chan int64, 1)
	must(t, c.AddWorker("sum", chief.Func(func(w *chief.Context) error {
		in, err := w.Channel("done")
		if err != nil {
			return err
		}
		sum, it := int64(0), in.Iter(w)
		for it.Next() {
			var job struct {
				Number int64 `chief:"number"`
				By     string
			}
			if err := it.Message().Decode(&job); err != nil {
				return err
			}
			sum += job.Number
		}
		sums <- sum
		return it.Err()
	})))
	launch(t, c)
	jobs, err := c.Channel("jobs")
	must(t, err)
	for i := 1; i <= 100; i++ {
		must(t, jobs.Send(within(t), map[string]any{"number": i}))
	}
	must(t, jobs.Close())
	must(t, c.WaitState(within(t), "double", chief.WorkerStopped))
	must(t, stop(t, c))
	equal(t, <-sums, 10100)
}

func TestAPanicIsTheWorkersFailure(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddWorker("broken", chief.Func(func(*chief.Context) error { panic("no such luck") })))
	must(t, c.AddWorker("wrong", chief.Func(func(*chief.Context) error { return fmt.Errorf("it is wrong") })))
	must(t, c.AddLua("raises", "raises", lua(chief.WorkerOptions{})))
	launch(t, c)
	for name, text := range map[string]string{"broken": "no such luck", "wrong": "it is wrong", "raises": "on purpose"} {
		must(t, c.WaitState(within(t), name, chief.WorkerFailed))
		s, err := c.States()
		must(t, err)
		w, _ := s.Find(name)
		if !strings.Contains(w.Error, text) {
			t.Errorf("%s: the error should contain %q, got %q", name, text, w.Error)
		}
		if name == "broken" && !strings.Contains(w.Traceback, "chief_test.go") {
			t.Errorf("the traceback should name the file, got %q", w.Traceback)
		}
		if name == "raises" && (!strings.Contains(w.Traceback, "raises.lua") || w.Reason != chief.ReasonLuaError) {
			t.Errorf("the traceback should name the module, got %v %q", w.Reason, w.Traceback)
		}
	}
	is(t, stop(t, c), chief.ErrFailed)
	equal(t, c.ExitCode(), 1)
}

func TestErrorsSayWhatWasWrong(t *testing.T) {
	c := quiet(t, chief.Options{})
	err := c.EnableWorkers("nobody")
	is(t, err, chief.ErrNotFound)
	equal(t, err.(*chief.Error).Code(), "not_found")
	if !strings.Contains(err.Error(), "invalid service name nobody") {
		t.Errorf("got %q", err)
	}
	is(t, c.AddLua("none", "no_such_module", lua(chief.WorkerOptions{})), chief.ErrInvalid)
	is(t, c.Join(within(t)), chief.ErrNotInitialized)
	_, err = chief.Pack(map[string]any{"tags": []any{1, 2, func() {}}})
	is(t, err, chief.ErrInvalid)
	equal(t, err.Error(), "can't send a func (at .tags[3])")
}
