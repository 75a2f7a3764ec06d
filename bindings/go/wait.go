package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"time"
)

const (
	forever = C.int64_t(C.CHIEF_FOREVER)
	// How long a call waits at a time in C while somebody in Go may cancel it.
	slice = 50 * time.Millisecond
)

// ended is the error of a context that is done.
func ended(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return failed(ErrTimeout, "timed out")
	}
	return failed(ErrCancelled, "cancelled")
}

// limit is how long a call in C may wait for a context of the caller's.
func limit(ctx context.Context) C.int64_t {
	deadline, ok := ctx.Deadline()
	if !ok {
		return forever
	}
	left := time.Until(deadline)
	if left < 0 {
		left = 0
	}
	return milliseconds(left)
}

// own is true for a context that C itself looks at in every call of the worker.
func own(ctx context.Context, as *Context) bool {
	c, ok := ctx.(*Context)
	return ctx == nil || ok && c == as
}

// inlet is where messages come from: channels, nil among them for the mailbox of `as`.
type inlet struct {
	as       *Context
	channels []*C.chief_channel
}

func (in inlet) worker() *C.chief_worker {
	if in.as == nil {
		return nil
	}
	return in.as.w
}

func (in inlet) once(timeout C.int64_t) (*Message, int, error) {
	var index C.size_t
	m := &Message{}
	err := call(func() C.int {
		return C.chief_go_receive(in.worker(), &in.channels[0], C.size_t(len(in.channels)), timeout, &index, &m.raw)
	})
	if err != nil {
		return nil, 0, err
	}
	m.take()
	return m, int(index), nil
}

// receive waits for a message until the context is done; what is there comes in any case.
func (in inlet) receive(ctx context.Context) (*Message, int, error) {
	if in.as != nil {
		if err := in.as.enter(); err != nil {
			return nil, 0, err
		}
		defer in.as.leave()
	}
	if own(ctx, in.as) {
		return in.once(forever)
	}
	m, index, err := in.once(0)
	if err == nil || err.(*Error).code != C.CHIEF_EAGAIN {
		return m, index, err
	}
	if ctx.Err() != nil {
		return nil, 0, ended(ctx)
	}
	if ctx.Done() == nil {
		return in.once(limit(ctx))
	}
	return in.interruptible(ctx)
}

// interruptible waits for one channel more, which gets a message when the context is done.
func (in inlet) interruptible(ctx context.Context) (*Message, int, error) {
	bell, err := newBell()
	if err != nil {
		return nil, 0, err
	}
	with := inlet{in.as, append(append([]*C.chief_channel{}, in.channels...), bell)}
	over, rung := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(rung)
		select {
		case <-ctx.Done():
			C.chief_channel_send(bell, nil, nil, 0, 0)
		case <-over:
		}
	}()
	m, index, err := with.once(forever)
	close(over)
	<-rung
	C.chief_channel_unref(bell)
	if err == nil && index == len(in.channels) {
		return nil, 0, ended(ctx)
	}
	if err == nil || err.(*Error).code != C.CHIEF_ECLOSED {
		return m, index, err
	}
	return nil, 0, err
}

func newBell() (bell *C.chief_channel, err error) {
	var a arena
	defer a.free()
	options := (*C.chief_channel_options)(a.alloc(C.sizeof_chief_channel_options))
	options.size = C.sizeof_chief_channel_options
	options.capacity = 1
	name := a.name("bell")
	err = call(func() C.int { return C.chief_channel_new(&bell, name, options) })
	return bell, err
}

// patiently calls what waits in C with a timeout, in slices where somebody may cancel the wait. A slice that was too short
// has done nothing. A closed `over` (nil: none) ends it, too.
func patiently(ctx context.Context, as *Context, over <-chan struct{}, f func(timeout C.int64_t) C.int) error {
	if as != nil {
		if err := as.enter(); err != nil {
			return err
		}
		defer as.leave()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if own(ctx, as) || ctx.Done() == nil && over == nil {
		return result(f(forever))
	}
	rc := f(0)
	for rc == C.CHIEF_EAGAIN || rc == C.CHIEF_ETIMEDOUT {
		select {
		case <-over:
			return failed(ErrClosed, "the chief is closed")
		default:
		}
		if ctx.Err() != nil {
			return ended(ctx)
		}
		wait := milliseconds(slice)
		if left := limit(ctx); left != forever && left < wait {
			wait = left
		}
		rc = f(wait)
	}
	return result(rc)
}

func result(rc C.int) error {
	if rc < 0 {
		return failure(rc)
	}
	return nil
}
