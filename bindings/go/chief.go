// Package chief runs a named set of workers, keeps them running and stops them without losing work. Workers are written in
// Go, or in Lua (AddLua); both share channels and mailboxes. It is libchief in Go: see README.md.
package chief

// #cgo pkg-config: libchief-lua
// #include "shim.h"
import "C"

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ForceStopTimeout is the default of Options.ForceStopTimeout.
var ForceStopTimeout = 45 * time.Second

// Chief is a head of workers. Its zero value is one with default options, as New makes it; it must not be copied once it is
// used. Every method may be called by any goroutine.
type Chief struct {
	// EnableByDefault is there for code that was written for the package routines: here every worker is enabled when none is
	// named, unless Options.RequireNames says otherwise.
	EnableByDefault bool

	options Options
	once    sync.Once
	broken  error // const after once: there is no chief

	mu     sync.Mutex
	c      *C.chief        // under mu; nil once it is freed
	users  int             // under mu: calls that are on their way
	closed bool            // under mu
	outer  context.Context // under mu: what Launch was given
	log    Logger          // under mu: what InitWorkers was given
	locker func(context.Context) error
	values sync.Map // of AddValueToContext, those whose key is no string

	whole, stop *node // under mu: its contexts, once somebody has asked for them

	launched chan struct{} // closed with Launch
	closing  chan struct{} // closed with Close
	freed    chan struct{} // closed when nothing is left in C
	ended    chan struct{} // closed when the chief has stopped
	result   error         // const after ended
}

// New makes a chief without workers. Nothing runs until InitWorkers. It is to be closed; the garbage collector does not do that.
func New(options Options) (*Chief, error) {
	c := &Chief{options: options}
	c.once.Do(c.open)
	return c, c.broken
}

func (c *Chief) open() {
	var a arena
	defer a.free()
	c.closing, c.freed = make(chan struct{}), make(chan struct{})
	c.launched, c.ended = make(chan struct{}), make(chan struct{})
	if C.chief_abi() != C.CHIEF_ABI {
		c.broken = failed(ErrNotSupported, "libchief of another ABI than this program was built for")
		return
	}
	if c.options.ForceStopTimeout == 0 {
		c.options.ForceStopTimeout = ForceStopTimeout
	}
	options := c.options.in(&a)
	c.broken = call(func() C.int { return C.chief_new(&c.c, options) })
}

// enter holds the chief for one call, which leave ends.
func (c *Chief) enter() (*C.chief, error) {
	c.once.Do(c.open)
	if c.broken != nil {
		return nil, c.broken
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, failed(ErrClosed, "the chief is closed")
	}
	c.users++
	return c.c, nil
}

func (c *Chief) leave() {
	c.mu.Lock()
	c.users--
	last := c.closed && c.users == 0
	c.mu.Unlock()
	if last {
		c.free()
	}
}

func (c *Chief) free() {
	C.chief_free(c.c)
	c.c = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, kept := range []*node{c.whole, c.stop} {
		if kept != nil {
			kept.end()
		}
	}
	c.whole, c.stop = nil, nil // they refer to the chief, and a circle is not finalised
	close(c.freed)
}

// Close stops what still runs, waits for that as Join does, and frees the chief. Calls that are on their way end first. A
// worker asks with Stop instead, since Close waits for the workers. Closing twice is no error.
func (c *Chief) Close() error {
	p, err := c.enter()
	if err != nil {
		if c.freed != nil && c.broken == nil {
			<-c.freed
		}
		return c.broken
	}
	C.chief_stop(p)
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		close(c.closing)
	}
	c.leave()
	<-c.freed
	return nil
}

// do is a call without an answer but its error.
func (c *Chief) do(f func(p *C.chief) C.int) error {
	p, err := c.enter()
	if err != nil {
		return err
	}
	defer c.leave()
	return call(func() C.int { return f(p) })
}

// about is a call about one name.
func (c *Chief) about(name string, f func(p *C.chief, name *C.char) C.int) error {
	var a arena
	defer a.free()
	text := a.name(name)
	return c.do(func(p *C.chief) C.int { return f(p, text) })
}

// AddWorker adds a worker; while the chief runs, it is started as its dependencies allow.
func (c *Chief) AddWorker(name string, worker Worker, options ...WorkerOptions) error {
	if worker == nil {
		return failed(ErrInvalid, "worker "+name+" should be a Worker, got nil")
	}
	number := objects.keep(&job{worker: worker, outer: c.behind, logger: c.logger})
	err := c.add(name, first(options), func(p *C.chief, name *C.char, _ *arena, o *C.chief_worker_options) C.int {
		return C.chief_go_add_worker(p, name, C.uintptr_t(number), o)
	})
	if err != nil {
		objects.forget(number)
	}
	return err
}

// AddLua adds a worker that is a Lua module.
func (c *Chief) AddLua(name, module string, options ...LuaOptions) error {
	o := first(options)
	C.chief_go_leave_signals()
	return c.add(name, o.WorkerOptions, func(p *C.chief, name *C.char, a *arena, w *C.chief_worker_options) C.int {
		return C.chief_lua_add_worker(p, name, a.name(module), o.in(a, w))
	})
}

// GroupPolicy is who is restarted along with a worker of a group.
type GroupPolicy int32

// Who is restarted along with a worker of a group.
const (
	OneForOne  GroupPolicy = C.CHIEF_ONE_FOR_ONE
	OneForAll  GroupPolicy = C.CHIEF_ONE_FOR_ALL
	RestForOne GroupPolicy = C.CHIEF_REST_FOR_ONE
)

// AddGroup makes a group of workers that are restarted together.
func (c *Chief) AddGroup(name string, policy GroupPolicy, workers ...string) error {
	var a arena
	defer a.free()
	list, n := a.names(workers)
	return c.about(name, func(p *C.chief, name *C.char) C.int {
		return C.chief_add_group(p, name, C.int32_t(policy), list, n)
	})
}

// AddChannel adds a channel that every worker can ask for by its name.
func (c *Chief) AddChannel(name string, options ...ChannelOptions) error {
	var a arena
	defer a.free()
	o := first(options).in(&a)
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_add_channel(p, name, o) })
}

// Channel is one of the chief's channels, to send and receive from outside the workers. It may outlive the chief.
func (c *Chief) Channel(name string) (*Channel, error) {
	var ch *C.chief_channel
	err := c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_get_channel(p, name, &ch) })
	if err != nil {
		return nil, err
	}
	return ownChannel(ch, nil), nil
}

// EnableWorkers enables these, or none of them when a name is unknown. Until the first call of this kind every worker is
// enabled, afterwards only those named.
func (c *Chief) EnableWorkers(names ...string) error {
	if len(names) == 0 {
		return nil
	}
	var a arena
	defer a.free()
	list, n := a.names(names)
	return c.do(func(p *C.chief) C.int { return C.chief_enable_workers(p, list, n) })
}

// EnableWorker enables one.
func (c *Chief) EnableWorker(name string) error {
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_enable_worker(p, name) })
}

// IsEnabled says whether the worker is enabled, or would be by default.
func (c *Chief) IsEnabled(name string) (yes bool) {
	_ = c.about(name, func(p *C.chief, name *C.char) C.int { yes = C.chief_is_enabled(p, name) != 0; return 0 })
	return yes
}

// InitWorkers initialises the enabled workers that wait for no other, in parallel. A failed Init leaves its worker
// `failed` and is no error here. The logger, which may be nil, is what the workers find under CtxKeyLog.
func (c *Chief) InitWorkers(logger Logger) error {
	var log *C.chief_log
	if logger != nil {
		l, err := logOf(logger)
		if err != nil {
			return err
		}
		log = l.c
		defer runtime.KeepAlive(l)
		c.mu.Lock()
		c.log = logger
		c.mu.Unlock()
	}
	return c.do(func(p *C.chief) C.int { return C.chief_init_workers(p, log) })
}

// Launch lets the initialised workers run, and returns. When the context is done, the chief stops; its values are seen by
// the workers.
func (c *Chief) Launch(ctx context.Context) error {
	var parent *C.chief_context
	if err := call(func() C.int { return C.chief_context_new(&parent, nil) }); err != nil {
		return err
	}
	c.mu.Lock()
	before := c.outer
	c.outer = ctx
	c.mu.Unlock()
	err := c.do(func(p *C.chief) C.int { return C.chief_launch(p, parent) })
	if err != nil {
		C.chief_context_unref(parent)
		c.mu.Lock()
		c.outer = before
		c.mu.Unlock()
		return err
	}
	close(c.launched)
	go follow(ctx, c.ended, parent)
	go c.await()
	return nil
}

// follow cancels in C what is done in Go, until something is over. It takes over the caller's reference.
func follow(ctx context.Context, over <-chan struct{}, c *C.chief_context) {
	select {
	case <-ctx.Done():
		var a arena
		C.chief_context_cancel(c, a.name(ctx.Err().Error()))
		a.free()
	case <-over:
	}
	C.chief_context_unref(c)
}

// await is the one that waits in C for the end.
func (c *Chief) await() {
	p, err := c.enter()
	if err == nil {
		err = call(func() C.int { return C.chief_join(p, forever) })
		c.leave()
	}
	c.result = err
	close(c.ended)
}

// Join waits until the chief has stopped, or the context is done. ErrTimeout: workers had to be forced, and the text names
// them; ErrFailed: a worker's last life had failed, or a critical one was given up.
func (c *Chief) Join(ctx context.Context) error {
	if _, err := c.enter(); err == nil {
		c.leave()
	}
	if c.parent() == nil {
		return failed(ErrNotInitialized, "the chief was not launched")
	}
	select {
	case <-c.ended:
		return c.result
	case <-ctx.Done():
		return ended(ctx)
	}
}

// Done is closed when the chief has stopped.
func (c *Chief) Done() <-chan struct{} {
	c.once.Do(c.open)
	return c.ended
}

// Start runs the initialised workers until the context is done, then stops them, and waits for that.
func (c *Chief) Start(ctx context.Context) error {
	if err := c.Launch(ctx); err != nil {
		return err
	}
	return c.Join(context.Background())
}

// again is how long after the first signal a second one forces.
const again = 500 * time.Millisecond

// RunAll enables the workers named (none: as by default), initialises and starts them, and stops at SIGTERM or SIGINT; a
// second signal, 500 ms or more after the first, forces. With SetLocker it waits for that instead.
func (c *Chief) RunAll(app string, workers ...string) error {
	c.once.Do(c.open)
	if err := c.EnableWorkers(workers...); err != nil {
		return err
	}
	if err := c.InitWorkers(nil); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := c.Launch(ctx); err != nil {
		return err
	}
	if c.locker != nil {
		return c.locked()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	var first time.Time
	for {
		select {
		case <-c.ended:
			return c.result
		case s := <-signals:
			switch {
			case first.IsZero():
				first = time.Now()
				_ = c.StopBecause("signal " + s.String())
			case time.Since(first) >= again:
				_ = c.ForceStop()
			}
		}
	}
}

// SetLocker gives RunAll something else to wait for than signals: the chief stops when `wait` returns. Its context is done
// when the chief stops for another reason. An error is RunAll's, where the stop is clean.
func (c *Chief) SetLocker(wait func(context.Context) error) { c.locker = wait }

func (c *Chief) locked() error {
	waited := c.locker(c.StopContext())
	_ = c.Stop()
	if err := c.Join(context.Background()); err != nil {
		return err
	}
	return waited
}

// Stop asks for a graceful stop, in the reverse of the start order. Asking again changes nothing.
func (c *Chief) Stop() error { return c.do(func(p *C.chief) C.int { return C.chief_stop(p) }) }

// StopBecause is Stop with a reason for people.
func (c *Chief) StopBecause(why string) error {
	return c.about(why, func(p *C.chief, why *C.char) C.int { return C.chief_stop_because(p, why) })
}

// ForceStop ends the graceful part of a stop: what still runs is interrupted now.
func (c *Chief) ForceStop() error {
	return c.do(func(p *C.chief) C.int { return C.chief_force_stop(p) })
}

// StartWorker starts one that was stopped, has failed or was enabled.
func (c *Chief) StartWorker(name string) error {
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_start_worker(p, name) })
}

// StopWorker stops one; no policy undoes it.
func (c *Chief) StopWorker(name string) error {
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_stop_worker(p, name) })
}

// RestartWorker stops one and starts it again.
func (c *Chief) RestartWorker(name string) error {
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_restart_worker(p, name) })
}

// RemoveWorker stops one and forgets it; its name is free with EventRemoved.
func (c *Chief) RemoveWorker(name string) error {
	return c.about(name, func(p *C.chief, name *C.char) C.int { return C.chief_remove_worker(p, name) })
}

// WaitState waits until the worker is in that state.
func (c *Chief) WaitState(ctx context.Context, name string, state WorkerState) error {
	return c.while(ctx, func(p *C.chief, timeout C.int64_t) C.int {
		var a arena
		defer a.free()
		return C.chief_wait_state(p, a.name(name), C.chief_state_t(state), timeout)
	})
}

// WaitReady waits until every enabled worker is ready, or has ended.
func (c *Chief) WaitReady(ctx context.Context) error {
	return c.while(ctx, func(p *C.chief, timeout C.int64_t) C.int { return C.chief_wait_ready(p, timeout) })
}

// while is a call that waits; the chief's end ends it.
func (c *Chief) while(ctx context.Context, f func(p *C.chief, timeout C.int64_t) C.int) error {
	p, err := c.enter()
	if err != nil {
		return err
	}
	defer c.leave()
	return patiently(ctx, nil, c.closing, func(timeout C.int64_t) C.int { return f(p, timeout) })
}

// States is a snapshot of all workers.
func (c *Chief) States() (*Snapshot, error) {
	p, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer c.leave()
	return snapshot(func(out **C.chief_snapshot) C.int { return C.chief_states(p, out) })
}

// GetWorkersStates are the states of all workers by their names.
func (c *Chief) GetWorkersStates() map[string]WorkerState {
	s, _ := c.States()
	return s.byName()
}

// ExitCode is how a program that ran this chief should exit, once it has stopped: 0 clean, 1 a worker had failed, 70 a
// critical one was given up, 75 one had to be interrupted or was abandoned.
func (c *Chief) ExitCode() (code int) {
	_ = c.do(func(p *C.chief) C.int { code = int(C.chief_exit_code(p)); return 0 })
	return code
}

// OnShutdown adds a hook that runs after the last worker has stopped, the hooks in reverse order.
func (c *Chief) OnShutdown(hook func()) error {
	number := objects.keep(hook)
	err := c.do(func(p *C.chief) C.int {
		return C.chief_go_on_shutdown(p, C.uintptr_t(number))
	})
	if err != nil {
		objects.forget(number)
	}
	return err
}

//export goHook
func goHook(number C.uintptr_t) {
	hook, ok := objects.get(uintptr(number)).(func())
	objects.forget(uintptr(number))
	if ok {
		apart(func() error { hook(); return nil })
	}
}
