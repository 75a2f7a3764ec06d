package chief

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"database/sql/driver"
	"unsafe"
)

// WorkerState is where a worker is in its life. The numbers are permanent, also in a database.
type WorkerState int32

// The states of a worker.
const (
	WorkerWrongStateChange WorkerState = C.CHIEF_WORKER_WRONG_STATE_CHANGE
	WorkerNull             WorkerState = C.CHIEF_WORKER_NULL
	WorkerDisabled         WorkerState = C.CHIEF_WORKER_DISABLED
	WorkerPresent          WorkerState = C.CHIEF_WORKER_PRESENT
	WorkerEnabled          WorkerState = C.CHIEF_WORKER_ENABLED
	WorkerInitialized      WorkerState = C.CHIEF_WORKER_INITIALIZED
	WorkerRun              WorkerState = C.CHIEF_WORKER_RUN
	WorkerStopped          WorkerState = C.CHIEF_WORKER_STOPPED
	WorkerFailed           WorkerState = C.CHIEF_WORKER_FAILED
)

// String is the name, or WorkerState(N) for a number that is none.
func (s WorkerState) String() string {
	return text(func(buf *C.char, size C.size_t) C.size_t {
		return C.chief_state_to_string(C.chief_state_t(s), buf, size)
	})
}

// Validate is nil for a state.
func (s WorkerState) Validate() error {
	return call(func() C.int { return C.chief_state_validate(C.chief_state_t(s)) })
}

// MarshalJSON gives the quoted name.
func (s WorkerState) MarshalJSON() ([]byte, error) {
	var buf [64]C.char
	var n C.size_t
	err := call(func() C.int { return C.chief_state_to_json(C.chief_state_t(s), &buf[0], 64, &n) })
	if err != nil {
		return nil, err
	}
	return []byte(C.GoStringN(&buf[0], C.int(n))), nil
}

// UnmarshalJSON reads the quoted name.
func (s *WorkerState) UnmarshalJSON(data []byte) error {
	var state C.chief_state_t
	err := call(func() C.int {
		return C.chief_state_from_json((*C.char)(pointer(data)), C.size_t(len(data)), &state)
	})
	if err == nil {
		*s = WorkerState(state)
	}
	return err
}

// Value is the form for a database: the name, nil for a number that is none.
func (s WorkerState) Value() (driver.Value, error) {
	name := C.chief_state_value(C.chief_state_t(s))
	if name == nil {
		return nil, nil
	}
	return C.GoString(name), nil
}

// Scan reads what a database holds: the name, its JSON form, or the number.
func (s *WorkerState) Scan(src any) error {
	var a arena
	defer a.free()
	value, _ := scalar(src)
	switch src := src.(type) {
	case string:
		value = C.chief_value{_type: C.CHIEF_BYTES, bytes: a.bytes([]byte(src))}
	case []byte:
		value = C.chief_value{_type: C.CHIEF_BYTES, bytes: a.bytes(src)}
	}
	var state C.chief_state_t
	err := call(func() C.int { return C.chief_state_scan(&value, &state) })
	if err == nil {
		*s = WorkerState(state)
	}
	return err
}

// Transition is the state after a legal change, and WorkerWrongStateChange for an illegal one.
func (s WorkerState) Transition(to WorkerState) WorkerState {
	return WorkerState(C.chief_state_transition(C.chief_state_t(s), C.chief_state_t(to)))
}

// Phase is what a worker does now, beside its state.
type Phase int32

// The phases of a worker.
const (
	PhaseIdle      Phase = C.CHIEF_PHASE_IDLE
	PhaseWaiting   Phase = C.CHIEF_PHASE_WAITING
	PhaseStarting  Phase = C.CHIEF_PHASE_STARTING
	PhaseUp        Phase = C.CHIEF_PHASE_UP
	PhaseStopping  Phase = C.CHIEF_PHASE_STOPPING
	PhaseAbandoned Phase = C.CHIEF_PHASE_ABANDONED
	PhaseGivenUp   Phase = C.CHIEF_PHASE_GIVEN_UP
)

func (p Phase) String() string { return C.GoString(C.chief_phase_name(C.int32_t(p))) }

// Reason is why a life of a worker ended.
type Reason int32

// Why a life of a worker ended.
const (
	ReasonNone         Reason = C.CHIEF_REASON_NONE
	ReasonOK           Reason = C.CHIEF_REASON_OK
	ReasonError        Reason = C.CHIEF_REASON_ERROR
	ReasonLuaError     Reason = C.CHIEF_REASON_LUA_ERROR
	ReasonInitError    Reason = C.CHIEF_REASON_INIT_ERROR
	ReasonStartTimeout Reason = C.CHIEF_REASON_START_TIMEOUT
	ReasonWatchdog     Reason = C.CHIEF_REASON_WATCHDOG
	ReasonMemoryLimit  Reason = C.CHIEF_REASON_MEMORY_LIMIT
	ReasonKilled       Reason = C.CHIEF_REASON_KILLED
	ReasonCancelled    Reason = C.CHIEF_REASON_CANCELLED
)

func (r Reason) String() string { return C.GoString(C.chief_reason_name(C.int32_t(r))) }

// WorkerExistRule knows the names there are, and says of others that they are none.
type WorkerExistRule struct {
	AvailableWorkers map[string]struct{}
	message          string
}

// NewWorkerExistRule is a rule over these names.
func NewWorkerExistRule(names ...string) *WorkerExistRule {
	r := &WorkerExistRule{AvailableWorkers: map[string]struct{}{}}
	for _, name := range names {
		r.AvailableWorkers[name] = struct{}{}
	}
	return r
}

// with lends the rule of C to one call.
func (r *WorkerExistRule) with(f func(rule *C.chief_rule) C.int) error {
	var a arena
	defer a.free()
	names := make([]string, 0, len(r.AvailableWorkers))
	for name := range r.AvailableWorkers {
		names = append(names, name)
	}
	list, n := a.names(names)
	var rule, worded *C.chief_rule
	if err := call(func() C.int { return C.chief_rule_new(&rule, list, n) }); err != nil {
		return err
	}
	defer C.chief_rule_free(rule)
	if r.message == "" {
		return call(func() C.int { return f(rule) })
	}
	message := a.name(r.message)
	if err := call(func() C.int { return C.chief_rule_error(&worded, rule, message) }); err != nil {
		return err
	}
	defer C.chief_rule_free(worded)
	return call(func() C.int { return f(worded) })
}

// Validate takes a []string and fails with the first name that is unknown and a list of those there are.
func (r *WorkerExistRule) Validate(value any) error {
	names, ok := value.([]string)
	if !ok {
		return failed(ErrInvalid, "can't convert list of workers to []string")
	}
	var a arena
	defer a.free()
	list, n := a.names(names)
	return r.with(func(rule *C.chief_rule) C.int { return C.chief_rule_validate(rule, list, n) })
}

// Error is a rule with another message and the same names.
func (r *WorkerExistRule) Error(message string) *WorkerExistRule {
	return &WorkerExistRule{r.AvailableWorkers, message}
}

// Names are the names there are, sorted, replicas by their number.
func (r *WorkerExistRule) Names() []string {
	names := []string{}
	_ = r.with(func(rule *C.chief_rule) C.int {
		var n C.size_t
		list := C.chief_rule_available(rule, &n)
		for _, name := range unsafe.Slice(list, int(n)) {
			names = append(names, C.GoString(name))
		}
		return C.CHIEF_OK
	})
	return names
}
