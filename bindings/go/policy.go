package chief

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// Exit is what a policy is asked about: a worker has ended, and nobody had asked it to.
type Exit struct {
	Worker   string
	Error    string
	Failures uint64 // in a row, this one included; 0: it ended cleanly
	Restarts uint64 // so far
	History  []End  // its last ends, this one last
}

// End is how one life ended.
type End struct {
	Generation uint64
	Reason     Reason
	Code       int           // of a process, or of SetExitCode
	Time       time.Duration // by the clock of Event.Time
	Up         time.Duration // for how long it had been ready
}

// AnswerKind is what a policy answers.
type AnswerKind int32

// What a policy answers.
const (
	AnswerDefault AnswerKind = C.CHIEF_ANSWER_DEFAULT // as WorkerOptions.Restart says
	AnswerRestart AnswerKind = C.CHIEF_ANSWER_RESTART // after the delay that Restart says
	AnswerDelay   AnswerKind = C.CHIEF_ANSWER_DELAY   // after Answer.Delay
	AnswerGiveUp  AnswerKind = C.CHIEF_ANSWER_GIVE_UP
	AnswerIsolate AnswerKind = C.CHIEF_ANSWER_ISOLATE // from now on in a process of its own
)

// Answer is what is to follow.
type Answer struct {
	Kind  AnswerKind
	Delay time.Duration
}

// policy hands the number of the function over: C forgets it when the worker is gone.
func (o WorkerOptions) policy(a *arena) *C.chief_policy {
	c := (*C.chief_policy)(a.alloc(C.sizeof_chief_policy))
	c.size = C.sizeof_chief_policy
	C.chief_go_set_policy(c, C.uintptr_t(objects.keep(o.OnExit)))
	c.timeout = milliseconds(o.OnExitTimeout)
	return c
}

// drop forgets what C has not taken over, since it refused the worker.
func (o WorkerOptions) drop(c *C.chief_worker_options) {
	if c.policy != nil {
		objects.forget(uintptr(C.chief_go_policy(c.policy)))
	}
}

//export goOnExit
func goOnExit(number C.uintptr_t, c *C.chief_exit, out *C.chief_answer) C.int {
	ask := objects.get(uintptr(number)).(func(Exit) Answer)
	exit := Exit{Worker: C.GoString(c.worker), Error: C.GoString(c.error), Failures: uint64(c.failures),
		Restarts: uint64(c.restarts)}
	for _, e := range unsafe.Slice(c.history, int(c.n_history)) {
		exit.History = append(exit.History, End{uint64(e.generation), Reason(e.reason), int(e.code),
			duration(e.time_ms), duration(e.up_ms)})
	}
	var answer Answer
	result := apart(func() error { answer = ask(exit); return nil })
	if result.failed {
		var a arena
		defer a.free()
		return C.chief_set_last_error(C.CHIEF_EFAILED, a.name(result.text))
	}
	out.kind = C.int32_t(answer.Kind)
	out.delay_ms = milliseconds(answer.Delay)
	return C.CHIEF_OK
}
