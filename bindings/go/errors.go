package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
)

// code is the number of an error in C; each Err… below is one.
type code int32

// Error is the text that belongs to the code, whatever happened.
func (c code) Error() string { return C.GoString(C.chief_strerror(C.int(c))) }

// What errors.Is can ask an error of this package for.
var (
	ErrInvalid          error = code(C.CHIEF_EINVAL)
	ErrNoMemory         error = code(C.CHIEF_ENOMEM)
	ErrNotFound         error = code(C.CHIEF_ENOENT)
	ErrExists           error = code(C.CHIEF_EEXIST)
	ErrBusy             error = code(C.CHIEF_EBUSY)
	ErrInvalidState     error = code(C.CHIEF_ESTATE)
	ErrNotInitialized   error = code(C.CHIEF_ENOTINIT)
	ErrTimeout          error = code(C.CHIEF_ETIMEDOUT) // also context.DeadlineExceeded
	ErrCancelled        error = code(C.CHIEF_ECANCELED) // also context.Canceled
	ErrClosed           error = code(C.CHIEF_ECLOSED)
	ErrWouldBlock       error = code(C.CHIEF_EAGAIN)
	ErrFull             error = code(C.CHIEF_EFULL)
	ErrTooBig           error = code(C.CHIEF_ETOOBIG)
	ErrNoReply          error = code(C.CHIEF_ENOREPLY)
	ErrCallFailed       error = code(C.CHIEF_ECALL)
	ErrFailed           error = code(C.CHIEF_EFAILED)
	ErrCycle            error = code(C.CHIEF_ECYCLE)
	ErrDeadlock         error = code(C.CHIEF_EDEADLK)
	ErrForked           error = code(C.CHIEF_EFORK)
	ErrSystem           error = code(C.CHIEF_ESYS)
	ErrNotSupported     error = code(C.CHIEF_ENOTSUP)
	ErrBadData          error = code(C.CHIEF_EDATA)
	ErrNotEnabled       error = code(C.CHIEF_EENABLE)
	ErrWrongStateChange error = code(C.CHIEF_WORKER_WRONG_STATE_CHANGE)

	// The names that the package routines has for two of them.
	ErrWorkerNotInitialized = ErrNotInitialized
	ErrWorkerStateInvalid   = ErrInvalidState
)

// Error is what every function of this package fails with. errors.Is tells which of the Err… it is.
type Error struct {
	code code
	text string
}

func (e *Error) Error() string { return e.text }

// Code is the kind of the error as one word: "timeout", "closed", "not_found" …
func (e *Error) Code() string { return C.GoString(C.chief_error_code(C.int(e.code))) }

// Is makes errors.Is work with the Err… of this package, and with those of package context.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.code == C.CHIEF_ECANCELED
	case context.DeadlineExceeded:
		return e.code == C.CHIEF_ETIMEDOUT
	}
	return target == error(e.code)
}

func failed(c error, text string) error { return &Error{c.(code), text} }

// failure is the error of the call that has just failed in this thread.
func failure(rc C.int) error {
	text := C.GoString(C.chief_last_error())
	if text == "" {
		text = C.GoString(C.chief_strerror(rc))
	}
	return &Error{code(rc), text}
}

// call keeps the goroutine on its thread, which is where the text of a failure is.
func call(f func() C.int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if rc := f(); rc < 0 {
		return failure(rc)
	}
	return nil
}
