package chief

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// Worker is what a chief runs; the interface is that of the package routines. The context given to Init is a *Context
// (see From), done when the worker is asked to stop. A panic in Init or Run is the worker's failure.
//
// A worker may have more methods: `Interrupt()` is called, from another goroutine, when a stop has used up its time, and
// `Fini()` once for each Init that succeeded, when nothing of that life runs any more.
type Worker interface {
	// Init makes what will run, anew at every start.
	Init(context.Context) Worker
	// RestartOnFail says whether a failed one is restarted, where the options say nothing.
	RestartOnFail() bool
	// Run works until its context is done, or its work is.
	Run()
}

// Func is a worker that is one function, called anew at every start; an error is the worker's failure.
type Func func(*Context) error

type funcWorker struct {
	f   Func
	ctx *Context
}

// Init makes Func a Worker.
func (f Func) Init(ctx context.Context) Worker { return &funcWorker{f, From(ctx)} }

// RestartOnFail leaves it to the options.
func (f Func) RestartOnFail() bool { return false }

// Run does nothing; it is what Init has made that runs.
func (f Func) Run() {}

func (w *funcWorker) Init(context.Context) Worker { return w }
func (w *funcWorker) RestartOnFail() bool         { return false }
func (w *funcWorker) Run()                        {}

// life is one generation of a worker.
type life struct {
	ctx    *Context
	worker Worker
}

// outcome is how a part of a life ended; zero is well.
type outcome struct {
	text, traceback string
	failed          bool
}

// apart runs a part of a life in a goroutine of its own and waits for it. So the worker is an ordinary goroutine, which
// waits for others without giving its thread away, and its end by a panic or by runtime.Goexit is only its own.
func apart(part func() error) outcome {
	ended := make(chan outcome, 1)
	go func() {
		result := outcome{text: "the worker has called runtime.Goexit", failed: true}
		defer func() { ended <- result }()
		defer func() {
			if reason := recover(); reason != nil {
				result = outcome{fmt.Sprint(reason), string(debug.Stack()), true}
			}
		}()
		if err := part(); err != nil {
			result = outcome{text: err.Error(), failed: true}
		} else {
			result = outcome{}
		}
	}()
	return <-ended
}

func (l *life) tell(result outcome, reason C.int32_t) C.int {
	if !result.failed {
		return C.CHIEF_OK
	}
	var a arena
	defer a.free()
	C.chief_worker_set_error(l.ctx.w, reason, a.name(result.text), a.text(result.traceback))
	return C.CHIEF_EFAILED
}

//export goInit
func goInit(w *C.chief_worker, data C.uintptr_t, out *C.uintptr_t) C.int {
	made := objects.get(uintptr(data)).(*job)
	l := &life{ctx: newContext(w, made)}
	result := apart(func() error {
		l.worker = made.worker.Init(l.ctx)
		if l.worker == nil {
			return fmt.Errorf("Init of %T should return a worker, got nil", made.worker)
		}
		return nil
	})
	if result.failed {
		rc := l.tell(result, C.CHIEF_REASON_INIT_ERROR)
		l.ctx.end()
		return rc
	}
	*out = C.uintptr_t(objects.keep(l))
	return C.CHIEF_OK
}

//export goRun
func goRun(number C.uintptr_t) C.int {
	l := objects.get(uintptr(number)).(*life)
	return l.tell(apart(func() error {
		if w, ok := l.worker.(*funcWorker); ok {
			return w.f(w.ctx)
		}
		l.worker.Run()
		return nil
	}), C.CHIEF_REASON_ERROR)
}

//export goFini
func goFini(number C.uintptr_t) {
	l := objects.get(uintptr(number)).(*life)
	if w, ok := l.worker.(interface{ Fini() }); ok {
		apart(func() error { w.Fini(); return nil })
	}
	l.ctx.end()
	objects.forget(uintptr(number))
}

//export goRestartOnFail
func goRestartOnFail(data C.uintptr_t) (yes C.int) {
	defer func() { _ = recover() }()
	return C.int(flag(objects.get(uintptr(data)).(*job).worker.RestartOnFail()))
}

//export goInterrupt
func goInterrupt(_ *C.chief_worker, number C.uintptr_t) {
	l, ok := objects.get(uintptr(number)).(*life)
	if !ok {
		return
	}
	if w, ok := l.worker.(interface{ Interrupt() }); ok {
		go apart(func() error { w.Interrupt(); return nil }) // C does not wait for it
	}
}

// job is a worker as it was added: what its lives have in common.
type job struct {
	worker Worker
	mu     sync.Mutex
	outer  func() context.Context // under mu: whose values its contexts show; may be nil, and say nil
	logger func() Logger          // what InitWorkers was given; may be nil, and say nil
}

func (j *job) setOuter(outer func() context.Context) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.outer = outer
}

func (j *job) getOuter() context.Context {
	j.mu.Lock()
	outer := j.outer
	j.mu.Unlock()
	if outer == nil {
		return nil
	}
	return outer()
}

// Context is what a running worker has of its chief: its own context.Context, its channels and mailbox. It is there from
// Init to the end of Run. Only one goroutine at a time may be in a call of it; a second one gets ErrBusy.
type Context struct {
	*node
	w          *C.chief_worker // under mu
	name       string
	generation uint64
	args       []byte
	log        *Log
	made       *job
	mu         sync.Mutex // held during a call into C
	over       bool       // under mu
}

type contextKey struct{}

// From is the worker's own Context of one that was made from it, and nil for another.
func From(ctx context.Context) *Context {
	own, _ := ctx.Value(contextKey{}).(*Context)
	return own
}

func newContext(w *C.chief_worker, made *job) *Context {
	args := C.chief_worker_args(w)
	return &Context{
		node:       newNode(C.chief_context_ref(C.chief_worker_context(w)), made.getOuter),
		w:          w,
		made:       made,
		name:       C.GoString(C.chief_worker_name(w)),
		generation: uint64(C.chief_worker_generation(w)),
		args:       view(args.data, args.len),
		log:        ownLog(C.chief_log_ref(C.chief_worker_log(w))),
	}
}

// end waits for a call that is on its way, since C forgets the worker afterwards.
func (c *Context) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.node.end()
}

// Value is what the chief's context holds under a name, else what the context given to Start holds.
func (c *Context) Value(key any) any {
	if key == (contextKey{}) {
		return c
	}
	if key == CtxKeyLog || key == string(CtxKeyLog) {
		return c.logger()
	}
	return c.node.Value(key)
}

// logger is what InitWorkers was given, else the worker's own.
func (c *Context) logger() Logger {
	if c.made.logger != nil {
		if given := c.made.logger(); given != nil {
			return given
		}
	}
	return c.log
}

// Name is the worker's name.
func (c *Context) Name() string { return c.name }

// Generation is which life this is: 1 at the first start, one more at each restart.
func (c *Context) Generation() uint64 { return c.generation }

// enter lets one goroutine into a call; leave ends it.
func (c *Context) enter() error {
	if !c.mu.TryLock() {
		return failed(ErrBusy, "another goroutine is in a call of worker "+c.name)
	}
	if c.over {
		c.mu.Unlock()
		return failed(ErrClosed, "this life of worker "+c.name+" has ended")
	}
	return nil
}

func (c *Context) leave() { c.mu.Unlock() }

func (c *Context) call(f func() C.int) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return call(f)
}

// Ready says that the worker is ready, where it was added with SaysReady.
func (c *Context) Ready() error {
	return c.call(func() C.int { C.chief_worker_ready(c.w); return C.CHIEF_OK })
}

// InterruptReason says why the worker is interrupted, "" while it is not.
func (c *Context) InterruptReason() string {
	if c.enter() != nil {
		return ""
	}
	defer c.leave()
	return text(func(buf *C.char, size C.size_t) C.size_t { return C.chief_worker_interrupt_reason(c.w, buf, size) })
}

// SetExitCode says with which code this life ends when it fails, for WorkerOptions.NoRestartCodes.
func (c *Context) SetExitCode(code int) error {
	return c.call(func() C.int { C.chief_worker_set_exit_code(c.w, C.int32_t(code)); return C.CHIEF_OK })
}
