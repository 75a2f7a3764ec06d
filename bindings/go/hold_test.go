package chief_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"chief"
)

// remains is what is there: objects that C refers to, goroutines, descriptors.
func remains() (counts [3]int) {
	runtime.GC()
	files, _ := os.ReadDir("/proc/self/fd")
	return [3]int{chief.Kept(), runtime.NumGoroutine(), len(files)}
}

// TestMain lets Go's poller and libuv open what they keep for the whole process, so that it is not taken for left.
func TestMain(m *testing.M) {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelOff})
	if err != nil {
		panic(err)
	}
	c, err := chief.New(chief.Options{Log: log})
	if err != nil {
		panic(err)
	}
	if c.AddWorker("nothing", chief.Func(func(*chief.Context) error { return nil })) == nil {
		_ = c.InitWorkers(nil)
	}
	c.Close()
	code := m.Run()
	if leaked() {
		code = 1
	}
	os.Exit(code)
}

// leaked lets the finalizers run first, since C's own look does not see what Go refers to.
func leaked() bool {
	for i := 0; i < 100 && chief.Kept() > 0; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	return chief.Leaks()
}

// afterwards fails when the test leaves something behind. What an earlier one has left to the finalizers may go meanwhile.
func afterwards(t *testing.T) {
	t.Helper()
	before := remains()
	t.Cleanup(func() {
		deadline := within(t)
		for {
			now := remains()
			if now[0] <= before[0] && now[1] <= before[1] && now[2] <= before[2] {
				return
			}
			select {
			case <-deadline.Done():
				t.Errorf("should leave %v objects, goroutines and descriptors, left %v", before, now)
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
}

func TestAMillionMessages(t *testing.T) {
	afterwards(t)
	const batch = 1000
	n := 1000000
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("numbers", chief.ChannelOptions{Capacity: 4096}))
	sum := make(chan int64, 1)
	must(t, c.AddWorker("sender", chief.Func(func(w *chief.Context) error {
		out, err := w.Channel("numbers")
		values := make([]any, batch)
		for i := 0; err == nil && i < n; i += batch {
			for j := range values {
				values[j] = i + j
			}
			_, err = out.SendMany(w, values)
		}
		return err
	})))
	must(t, c.AddWorker("receiver", chief.Func(func(w *chief.Context) error {
		in, err := w.Channel("numbers")
		total := int64(0)
		for got := 0; err == nil && got < n; {
			var list []*chief.Message
			list, err = in.RecvMany(w, batch)
			for _, m := range list {
				v, err := m.Value()
				if err != nil {
					return err
				}
				total += v.(int64)
			}
			got += len(list)
		}
		sum <- total
		return err
	})))
	launch(t, c)
	equal(t, <-sum, int64(n)*int64(n-1)/2)
	must(t, stop(t, c))
}

func TestMessagesOneAtATime(t *testing.T) {
	afterwards(t)
	n := 200000
	if os.Getenv("CHIEF_BINDINGS_FULL") == "1" {
		n = 1000000
	}
	ch, err := chief.NewChannel("numbers")
	must(t, err)
	go func() {
		for i := 0; i < n; i++ {
			if ch.Send(context.Background(), i) != nil {
				return
			}
		}
		ch.Close()
	}()
	count := 0
	it := ch.Iter(context.Background())
	for ; it.Next(); count++ {
		v, err := it.Message().Value()
		must(t, err)
		equal(t, v.(int64), int64(count))
	}
	must(t, it.Err())
	equal(t, count, n)
}

func TestAThousandStartsAndStops(t *testing.T) {
	afterwards(t)
	c := quiet(t, chief.Options{EventLevel: chief.LevelOff})
	began := make(chan struct{})
	must(t, c.AddWorker("short", chief.Func(func(w *chief.Context) error {
		began <- struct{}{}
		<-w.Done()
		return nil
	})))
	must(t, c.AddWorker("keeps", chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })))
	launch(t, c)
	ctx := within(t)
	for i := 1; ; i++ {
		<-began
		must(t, c.StopWorker("short"))
		must(t, c.WaitState(ctx, "short", chief.WorkerStopped))
		if i == 1000 {
			break
		}
		must(t, c.StartWorker("short"))
	}
	must(t, stop(t, c))
}

func TestChiefsComeAndGo(t *testing.T) {
	afterwards(t)
	for i := 0; i < 50; i++ {
		c, err := chief.New(chief.Options{Log: mute(t)})
		must(t, err)
		must(t, c.AddWorker("idle", chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })))
		if i%3 > 0 {
			must(t, c.InitWorkers(nil))
		}
		if i%3 > 1 {
			must(t, c.Launch(context.Background()))
		}
		whole := c.GetContext()
		if whole.Err() != nil {
			t.Fatal("a chief's context should not be done before its end")
		}
		ctx, cancel := context.WithCancel(whole)
		defer cancel()
		defer func() { <-ctx.Done() }()
		must(t, c.Close())
		must(t, c.Close())
		is(t, c.Stop(), chief.ErrClosed)
	}
}

func TestCloseEndsACallThatNobodyAnswers(t *testing.T) {
	afterwards(t)
	for _, launched := range []bool{false, true} {
		c, err := chief.New(chief.Options{Log: mute(t)})
		must(t, err)
		must(t, c.AddWorker("silent", chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })))
		if launched {
			launch(t, c)
		}
		answers := make(chan error)
		go func() { _, err := c.Call(context.Background(), "silent", 1); answers <- err }()
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		_, err = c.Call(ctx, "silent", 1)
		is(t, err, context.Canceled)
		must(t, c.Close())
		if err := <-answers; err == nil {
			t.Error("nobody has answered")
		}
	}
}

func TestAStopEndsEveryWait(t *testing.T) {
	afterwards(t)
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("empty"))
	must(t, c.AddChannel("full", chief.ChannelOptions{Capacity: 1}))
	waits := map[string]func(w *chief.Context, empty, full *chief.Channel) error{
		"recv":    func(w *chief.Context, empty, _ *chief.Channel) error { _, err := empty.Recv(w); return err },
		"mailbox": func(w *chief.Context, _, _ *chief.Channel) error { _, err := w.Recv(w); return err },
		"derived": func(w *chief.Context, empty, _ *chief.Channel) error {
			ctx, cancel := context.WithCancel(w)
			defer cancel()
			_, err := empty.Recv(ctx)
			return err
		},
		"select": func(w *chief.Context, empty, _ *chief.Channel) error {
			_, _, err := w.Select(w, empty, nil)
			return err
		},
		"sleep": func(w *chief.Context, _, _ *chief.Channel) error { return w.Sleep(time.Hour) },
		"call": func(w *chief.Context, _, _ *chief.Channel) error {
			_, err := w.Call(w, "goes", "a question")
			return err
		},
		"goes": func(w *chief.Context, _, _ *chief.Channel) error { <-w.Done(); return w.Err() },
	}
	results := make(chan error, len(waits))
	for name, wait := range waits {
		wait := wait
		must(t, c.AddWorker(name, chief.Func(func(w *chief.Context) error {
			empty, err := w.Channel("empty")
			if err != nil {
				return err
			}
			full, err := w.Channel("full")
			if err != nil {
				return err
			}
			if err := w.Ready(); err != nil {
				return err
			}
			results <- wait(w, empty, full)
			return nil
		}), chief.WorkerOptions{SaysReady: true}))
	}
	launch(t, c)
	must(t, c.WaitReady(within(t)))
	must(t, stop(t, c))
	for range waits {
		if err := <-results; !errors.Is(err, context.Canceled) && !errors.Is(err, chief.ErrNoReply) {
			t.Errorf("should be cancelled, got %v", err)
		}
	}
}

func TestOneThatDoesNotEndIsAbandoned(t *testing.T) {
	c := quiet(t, chief.Options{ForceStopTimeout: 50 * time.Millisecond, ForceTime: 10 * time.Millisecond})
	release := make(chan struct{})
	must(t, c.AddWorker("deaf", chief.Func(func(*chief.Context) error { <-release; return nil })))
	must(t, c.AddWorker("hears", &interruptible{heard: make(chan struct{})}))
	launch(t, c)
	err := stop(t, c)
	is(t, err, chief.ErrTimeout)
	if !strings.Contains(err.Error(), "deaf") {
		t.Errorf("should name the worker, got %q", err)
	}
	equal(t, c.ExitCode(), 75)
	close(release)
}

// interruptible ends only when it is interrupted.
type interruptible struct{ heard chan struct{} }

func (i *interruptible) Init(context.Context) chief.Worker { return i }
func (i *interruptible) RestartOnFail() bool               { return false }
func (i *interruptible) Run()                              { <-i.heard }
func (i *interruptible) Interrupt()                        { close(i.heard) }

func TestGarbageIsCollectedAtAnyTime(t *testing.T) {
	afterwards(t)
	over := make(chan struct{})
	var collector sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for {
			select {
			case <-over:
				return
			default:
				runtime.GC()
			}
		}
	}()
	c := quiet(t, chief.Options{})
	must(t, c.AddWorker("echo", chief.Func(echo)))
	must(t, c.AddLua("lua", "answers", lua(chief.WorkerOptions{})))
	must(t, c.AddValueToContext("kept", &struct{ n int }{1}))
	launch(t, c)
	for i := 0; i < 200; i++ {
		ctx, cancel := context.WithTimeout(within(t), time.Minute)
		_, err := c.Call(ctx, "echo", i)
		must(t, err)
		_, err = c.Call(ctx, "lua", map[string]any{"name": strings.Repeat("x", i)})
		must(t, err)
		_, err = c.Call(ctx, "echo", "x")
		is(t, err, chief.ErrCallFailed)
		cancel()
		lost, err := chief.NewChannel("lost")
		must(t, err)
		must(t, lost.Send(ctxNone, i))
	}
	close(over)
	collector.Wait()
	must(t, stop(t, c))
}

var ctxNone = context.Background()

func TestCallbacksDuringShutdown(t *testing.T) {
	afterwards(t)
	var mu sync.Mutex
	told := []string{}
	tell := func(what string) { mu.Lock(); told = append(told, what); mu.Unlock() }
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelDebug, Sink: func(chief.Record) { tell("log"); runtime.GC() }})
	must(t, err)
	c, err := chief.New(chief.Options{Log: log})
	must(t, err)
	must(t, c.OnShutdown(func() { tell("first hook"); panic("a hook that fails") }))
	must(t, c.OnShutdown(func() { tell("second hook"); _, _ = c.States() }))
	for i := 0; i < 8; i++ {
		must(t, c.AddWorker(fmt.Sprint("w", i), &lastWords{tell: tell}, chief.WorkerOptions{
			OnExit: func(chief.Exit) chief.Answer { tell("policy"); return chief.Answer{} }}))
	}
	events, err := c.Events(context.Background())
	must(t, err)
	launch(t, c)
	must(t, c.WaitReady(within(t)))
	go c.Close()
	for range events {
	}
	must(t, c.Close())
	must(t, c.Join(within(t))) // one that was asked to stop has stopped, however it ends
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(told, ",")
	for _, what := range []string{"log", "first hook", "second hook"} {
		if !strings.Contains(all, what) {
			t.Errorf("%s should be called, got %s", what, all)
		}
	}
	equal(t, strings.Count(all, "fini"), 8)
}

// lastWords fails when it is stopped.
type lastWords struct {
	tell func(string)
	ctx  context.Context
}

func (l *lastWords) Init(ctx context.Context) chief.Worker { return &lastWords{l.tell, ctx} }
func (l *lastWords) RestartOnFail() bool                   { return true }
func (l *lastWords) Run()                                  { <-l.ctx.Done(); panic("last words") }
func (l *lastWords) Fini()                                 { l.tell("fini") }

func TestASecondGoroutineIsRefused(t *testing.T) {
	c := quiet(t, chief.Options{})
	results := make(chan error, 1)
	must(t, c.AddWorker("two", chief.Func(func(w *chief.Context) error {
		inside := make(chan struct{})
		go func() {
			<-inside
			for {
				if err := w.Sleep(0); err != nil {
					results <- err
					return
				}
			}
		}()
		close(inside)
		_, err := w.Recv(w)
		return ignoreCancel(err)
	})))
	launch(t, c)
	is(t, <-results, chief.ErrBusy)
	must(t, stop(t, c))
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func mute(t *testing.T) *chief.Log {
	t.Helper()
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelOff})
	must(t, err)
	return log
}
