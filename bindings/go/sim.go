package chief

// #include "shim.h"
import "C"

import (
	"runtime"
	"time"
)

// Sim is a chief for tests of one's own policies: it decides as a chief does and tells the same events, but runs nothing. The
// test says what becomes of its workers, and its clock moves only in Advance. One goroutine at a time may use it.
type Sim struct{ c *C.chief_sim }

// Manners are what a simulated worker does when it is asked to stop.
type Manners int32

// What a simulated worker does when it is asked to stop.
const (
	Obeys Manners = C.CHIEF_SIM_OBEYS // ends at once
	Busy  Manners = C.CHIEF_SIM_BUSY  // ends when it is interrupted
	Stuck Manners = C.CHIEF_SIM_STUCK // is interrupted in vain, and abandoned
)

// NewSim makes a simulation without workers.
func NewSim(options ...Options) (*Sim, error) {
	var a arena
	defer a.free()
	o := first(options).in(&a)
	s := &Sim{}
	if err := call(func() C.int { return C.chief_sim_new(&s.c, o) }); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(s, func(s *Sim) { C.chief_sim_free(s.c) })
	return s, nil
}

func (s *Sim) do(f func() C.int) error {
	defer runtime.KeepAlive(s)
	return call(f)
}

func (s *Sim) about(name string, f func(name *C.char) C.int) error {
	var a arena
	defer a.free()
	text := a.name(name)
	return s.do(func() C.int { return f(text) })
}

// AddWorker adds a worker, before the start or after it; of its options Args is not used.
func (s *Sim) AddWorker(name string, options ...WorkerOptions) error {
	var a arena
	defer a.free()
	o := first(options)
	given := o.in(&a, nil)
	err := s.about(name, func(name *C.char) C.int { return C.chief_sim_add_worker(s.c, name, given) })
	if err != nil {
		o.drop(given)
	}
	return err
}

// AddGroup makes a group of workers that are restarted together.
func (s *Sim) AddGroup(name string, policy GroupPolicy, workers ...string) error {
	var a arena
	defer a.free()
	list, n := a.names(workers)
	return s.about(name, func(name *C.char) C.int {
		return C.chief_sim_add_group(s.c, name, C.int32_t(policy), list, n)
	})
}

// EnableWorkers enables these, or none of them when a name is unknown.
func (s *Sim) EnableWorkers(names ...string) error {
	var a arena
	defer a.free()
	list, n := a.names(names)
	return s.do(func() C.int { return C.chief_sim_enable_workers(s.c, list, n) })
}

// Start initialises and starts the workers.
func (s *Sim) Start() error { return s.do(func() C.int { return C.chief_sim_start(s.c) }) }

// Advance lets time pass, with all that falls due in it.
func (s *Sim) Advance(d time.Duration) error {
	return s.do(func() C.int { return C.chief_sim_advance(s.c, milliseconds(d)) })
}

// Now is the time since the simulation was made.
func (s *Sim) Now() time.Duration {
	defer runtime.KeepAlive(s)
	return duration(C.chief_sim_now(s.c))
}

// Deadline is when something falls due next by itself; false when nothing will.
func (s *Sim) Deadline() (time.Duration, bool) {
	defer runtime.KeepAlive(s)
	ms := C.chief_sim_deadline(s.c)
	return duration(ms), ms >= 0
}

// Fail lets the worker's run fail, for a reason, with an exit code (0: none) and a text ("": the reason's).
func (s *Sim) Fail(name string, reason Reason, code int, text string) error {
	var a arena
	defer a.free()
	why := a.text(text)
	return s.about(name, func(name *C.char) C.int {
		return C.chief_sim_fail(s.c, name, C.int32_t(reason), C.int32_t(code), why)
	})
}

// FailInit lets the worker's next n inits fail.
func (s *Sim) FailInit(name string, n int, text string) error {
	var a arena
	defer a.free()
	why := a.text(text)
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_fail_init(s.c, name, C.uint32_t(n), why) })
}

// Finish lets the worker's run return cleanly.
func (s *Sim) Finish(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_finish(s.c, name) })
}

// Ready lets the worker say that it is ready.
func (s *Sim) Ready(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_ready(s.c, name) })
}

// Behave says how the worker takes it to be asked to stop, from now on.
func (s *Sim) Behave(name string, manners Manners) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_behave(s.c, name, C.int32_t(manners)) })
}

// Stop asks for a graceful stop.
func (s *Sim) Stop() error { return s.do(func() C.int { return C.chief_sim_stop(s.c) }) }

// ForceStop ends the graceful part of a stop.
func (s *Sim) ForceStop() error { return s.do(func() C.int { return C.chief_sim_force_stop(s.c) }) }

// Signal is a SIGTERM.
func (s *Sim) Signal() error { return s.do(func() C.int { return C.chief_sim_signal(s.c) }) }

// StartWorker starts one that was stopped, has failed or was enabled.
func (s *Sim) StartWorker(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_start_worker(s.c, name) })
}

// StopWorker stops one.
func (s *Sim) StopWorker(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_stop_worker(s.c, name) })
}

// RestartWorker stops one and starts it again.
func (s *Sim) RestartWorker(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_restart_worker(s.c, name) })
}

// RemoveWorker stops one and forgets it.
func (s *Sim) RemoveWorker(name string) error {
	return s.about(name, func(name *C.char) C.int { return C.chief_sim_remove_worker(s.c, name) })
}

// States is a snapshot of all workers.
func (s *Sim) States() (*Snapshot, error) {
	defer runtime.KeepAlive(s)
	return snapshot(func(out **C.chief_snapshot) C.int { return C.chief_sim_states(s.c, out) })
}

// Events are those since the last call.
func (s *Sim) Events() (list []Event) {
	defer runtime.KeepAlive(s)
	for {
		var batch [eventBatch]*C.chief_event
		var n C.size_t
		if C.chief_sim_take_events(s.c, &batch[0], eventBatch, &n) != C.CHIEF_OK || n == 0 {
			return list
		}
		for _, event := range batch[:n] {
			list = append(list, takeEvent(event))
		}
	}
}

// HasStopped says whether everything has stopped, or nothing is left to run.
func (s *Sim) HasStopped() bool {
	defer runtime.KeepAlive(s)
	return C.chief_sim_has_stopped(s.c) != 0
}

// ExitCode is as Chief.ExitCode.
func (s *Sim) ExitCode() int {
	defer runtime.KeepAlive(s)
	return int(C.chief_sim_exit_code(s.c))
}
