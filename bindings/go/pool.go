package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
)

// WorkerPool is a registry of workers and their states, which can be used without a chief: its verbs record, and only
// InitWorker and RunWorkerExec run code, in the caller's own time. Its zero value is an empty pool. That of a chief
// (Chief.Pool) is to look at while the chief runs.
type WorkerPool struct {
	once  sync.Once
	inner *pool
	fails error
	chief *Chief
}

// pool is what a finalizer may hold.
type pool struct {
	c    *C.chief_pool
	over chan struct{}
	mu   sync.Mutex
	jobs []uintptr // under mu
}

func (w *WorkerPool) open() {
	p := &pool{over: make(chan struct{})}
	w.fails = call(func() C.int { return C.chief_pool_new(&p.c) })
	w.inner = p
	if w.fails == nil {
		runtime.SetFinalizer(p, func(p *pool) { go p.free() }) // a Fini may take its time
	}
}

func (p *pool) free() {
	close(p.over)
	C.chief_pool_free(p.c)
	for _, number := range p.jobs {
		objects.forget(number)
	}
}

// with lends the pool of C to one call.
func (w *WorkerPool) with(f func(p *C.chief_pool) C.int) error {
	if w.chief != nil {
		return w.chief.do(func(c *C.chief) C.int { return f(C.chief_get_pool(c)) })
	}
	w.once.Do(w.open)
	if w.fails != nil {
		return w.fails
	}
	defer runtime.KeepAlive(w.inner)
	return call(func() C.int { return f(w.inner.c) })
}

func (w *WorkerPool) about(name string, f func(p *C.chief_pool, name *C.char) C.int) error {
	var a arena
	defer a.free()
	text := a.name(name)
	return w.with(func(p *C.chief_pool) C.int { return f(p, text) })
}

// Pool is the chief's own pool.
func (c *Chief) Pool() *WorkerPool { return &WorkerPool{chief: c} }

// SetLog says where refused changes are logged; nil: the default logger.
func (w *WorkerPool) SetLog(log *Log) error {
	defer runtime.KeepAlive(log)
	return w.with(func(p *C.chief_pool) C.int {
		if log == nil {
			return C.chief_pool_set_log(p, nil)
		}
		return C.chief_pool_set_log(p, log.c)
	})
}

// SetWorker registers a worker under a name that is free.
func (w *WorkerPool) SetWorker(name string, worker Worker) error {
	if w.chief != nil {
		return w.chief.AddWorker(name, worker)
	}
	if worker == nil {
		return failed(ErrInvalid, "worker "+name+" should be a Worker, got nil")
	}
	number := objects.keep(&job{worker: worker})
	err := w.about(name, func(p *C.chief_pool, name *C.char) C.int {
		return C.chief_go_pool_set_worker(p, name, C.uintptr_t(number))
	})
	if err != nil {
		objects.forget(number)
		return err
	}
	w.inner.mu.Lock()
	defer w.inner.mu.Unlock()
	w.inner.jobs = append(w.inner.jobs, number)
	return nil
}

// GetWorker is the worker of that name as it was added; ErrNotSupported for one that is not in Go.
func (w *WorkerPool) GetWorker(name string) (Worker, error) {
	made, err := w.job(name)
	if err != nil {
		return nil, err
	}
	return made.worker, nil
}

func (w *WorkerPool) job(name string) (*job, error) {
	var number C.uintptr_t
	err := w.about(name, func(p *C.chief_pool, name *C.char) C.int {
		return C.chief_go_pool_get_worker(p, name, &number)
	})
	if err != nil {
		return nil, err
	}
	made, ok := objects.get(uintptr(number)).(*job)
	if !ok {
		return nil, failed(ErrNotSupported, "worker "+name+" is not in Go")
	}
	return made, nil
}

// GetState is the state of a worker; an unknown name is disabled.
func (w *WorkerPool) GetState(name string) WorkerState {
	state := WorkerDisabled
	_ = w.about(name, func(p *C.chief_pool, name *C.char) C.int {
		state = WorkerState(C.chief_pool_get_state(p, name))
		return 0
	})
	return state
}

// verb is a change of state: the new one, and ErrWrongStateChange where it is not legal.
func (w *WorkerPool) verb(name string, f func(p *C.chief_pool, name *C.char) C.chief_state_t) error {
	return w.about(name, func(p *C.chief_pool, name *C.char) C.int { return C.int(f(p, name)) })
}

// SetState sets a state whatever it was.
func (w *WorkerPool) SetState(name string, state WorkerState) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t {
		return C.chief_pool_set_state(p, name, C.chief_state_t(state))
	})
}

// EnableWorker records that a present or disabled one is enabled.
func (w *WorkerPool) EnableWorker(name string) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t { return C.chief_pool_enable(p, name) })
}

// DisableWorker records that it is disabled, where that is legal.
func (w *WorkerPool) DisableWorker(name string) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t { return C.chief_pool_disable(p, name) })
}

// InitWorker calls the Init of an enabled one. Its context is done with the one given.
func (w *WorkerPool) InitWorker(name string, ctx context.Context) error {
	made, err := w.job(name)
	if err != nil {
		return err
	}
	var parent *C.chief_context
	if err := call(func() C.int { return C.chief_context_new(&parent, nil) }); err != nil {
		return err
	}
	made.setOuter(func() context.Context { return ctx })
	if w.inner != nil && ctx.Done() != nil {
		go follow(ctx, w.inner.over, C.chief_context_ref(parent))
	}
	defer C.chief_context_unref(parent)
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t {
		return C.chief_pool_init(p, name, parent)
	})
}

// StartWorker records that it runs.
func (w *WorkerPool) StartWorker(name string) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t { return C.chief_pool_start(p, name) })
}

// StopWorker records that it has stopped.
func (w *WorkerPool) StopWorker(name string) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t { return C.chief_pool_stop(p, name) })
}

// FailWorker records that it has failed.
func (w *WorkerPool) FailWorker(name string) error {
	return w.verb(name, func(p *C.chief_pool, name *C.char) C.chief_state_t { return C.chief_pool_fail(p, name) })
}

// IsEnabled says whether it is enabled, or beyond.
func (w *WorkerPool) IsEnabled(name string) (yes bool) {
	_ = w.about(name, func(p *C.chief_pool, name *C.char) C.int { yes = C.chief_pool_is_enabled(p, name) != 0; return 0 })
	return yes
}

// IsAlive says whether it runs.
func (w *WorkerPool) IsAlive(name string) (yes bool) {
	_ = w.about(name, func(p *C.chief_pool, name *C.char) C.int { yes = C.chief_pool_is_alive(p, name) != 0; return 0 })
	return yes
}

// RunWorkerExec runs an initialised one until it returns. ErrFailed is its failure.
func (w *WorkerPool) RunWorkerExec(name string) error {
	return w.about(name, func(p *C.chief_pool, name *C.char) C.int { return C.chief_pool_run_exec(p, name) })
}

// States is a snapshot of the pool.
func (w *WorkerPool) States() (s *Snapshot, err error) {
	other := w.with(func(p *C.chief_pool) C.int {
		s, err = snapshot(func(out **C.chief_snapshot) C.int { return C.chief_pool_states(p, out) })
		return 0
	})
	if other != nil {
		return nil, other
	}
	return s, err
}

// GetWorkersStates are the states of all workers by their names.
func (w *WorkerPool) GetWorkersStates() map[string]WorkerState {
	s, _ := w.States()
	return s.byName()
}
