package chief

// #include "shim.h"
import "C"

import "time"

// Status is what was known of one worker.
type Status struct {
	Name       string
	State      WorkerState
	Phase      Phase
	Reason     Reason        // why the last life ended
	Generation uint64        // 0: never started
	Restarts   uint64        // by policy
	Until      time.Duration // waiting, stopping: the time left; below 0: no limit
	WaitingFor string        // "restart", the names of what it waits for, or "its group x"
	Error      string        // of the last failure, also after the restart
	Traceback  string
	Why        string // given up: why it is not restarted
	Slow       bool
}

// Snapshot is a copy of what a chief or a pool knew at one moment, in the order of registration.
type Snapshot struct {
	Workers []Status
	Seq     uint64 // the number of the last event whose effect it shows
	JSON    string // the same, with what is known of the application
}

// Find is the worker of that name; false where there is none.
func (s *Snapshot) Find(name string) (Status, bool) {
	for _, w := range s.Workers {
		if w.Name == name {
			return w, true
		}
	}
	return Status{}, false
}

// byName is empty for a snapshot that there is none of.
func (s *Snapshot) byName() map[string]WorkerState {
	states := map[string]WorkerState{}
	if s != nil {
		for _, w := range s.Workers {
			states[w.Name] = w.State
		}
	}
	return states
}

// snapshot copies and frees what `take` has got.
func snapshot(take func(out **C.chief_snapshot) C.int) (*Snapshot, error) {
	var c *C.chief_snapshot
	if err := call(func() C.int { return take(&c) }); err != nil {
		return nil, err
	}
	defer C.chief_snapshot_free(c)
	s := &Snapshot{
		Seq:  uint64(C.chief_snapshot_seq(c)),
		JSON: text(func(buf *C.char, size C.size_t) C.size_t { return C.chief_snapshot_json(c, buf, size) }),
	}
	for i := C.size_t(0); i < C.chief_snapshot_len(c); i++ {
		s.Workers = append(s.Workers, status(C.chief_snapshot_at(c, i)))
	}
	return s, nil
}

func status(c *C.chief_worker_status) Status {
	return Status{
		Name:       C.GoString(c.name),
		State:      WorkerState(c.state),
		Phase:      Phase(c.phase),
		Reason:     Reason(c.reason),
		Generation: uint64(c.generation),
		Restarts:   uint64(c.restarts),
		Until:      duration(c.until_ms),
		WaitingFor: C.GoString(c.waiting_for),
		Error:      C.GoString(c.error),
		Traceback:  C.GoString(c.traceback),
		Why:        C.GoString(c.why),
		Slow:       c.slow != 0,
	}
}

// States are the states of all workers of this one's chief.
func (c *Context) States() (*Snapshot, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	return snapshot(func(out **C.chief_snapshot) C.int { return C.chief_worker_states(c.w, out) })
}
