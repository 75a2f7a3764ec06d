package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"time"
)

// Channel is one of the chief's channels, to send and receive as this worker.
func (c *Context) Channel(name string) (*Channel, error) {
	var a arena
	defer a.free()
	var ch *C.chief_channel
	text := a.name(name)
	err := c.call(func() C.int { return C.chief_worker_channel(c.w, text, &ch) })
	if err != nil {
		return nil, err
	}
	return ownChannel(C.chief_channel_ref(ch), c), nil
}

// Recv waits for the next message of the worker's mailbox, as Channel.Recv.
func (c *Context) Recv(ctx context.Context) (*Message, error) {
	m, _, err := inlet{c, []*C.chief_channel{nil}}.receive(ctx)
	return m, err
}

// Messages goes through the worker's mailbox until it is asked to stop and nothing is left.
func (c *Context) Messages() *Iter { return &Iter{ctx: c, recv: c.Recv} }

// Select waits for the first message of several channels, in the order given; a nil among them is the worker's mailbox. The
// number says which it was.
func (c *Context) Select(ctx context.Context, channels ...*Channel) (*Message, int, error) {
	return choose(ctx, c, channels)
}

// Select waits for the first message of several channels of the host's, in the order given; the number says which it was.
func Select(ctx context.Context, channels ...*Channel) (*Message, int, error) {
	return choose(ctx, nil, channels)
}

func choose(ctx context.Context, as *Context, channels []*Channel) (*Message, int, error) {
	if len(channels) == 0 {
		return nil, 0, failed(ErrInvalid, "Select should be given channels, got none")
	}
	in := inlet{as: as}
	for _, ch := range channels {
		if ch == nil {
			in.channels = append(in.channels, nil)
			continue
		}
		in.channels = append(in.channels, ch.c)
	}
	defer runtime.KeepAlive(channels)
	return in.receive(ctx)
}

// Sleep sleeps; at the end of the worker's time it ends at once, with ErrCancelled.
func (c *Context) Sleep(d time.Duration) error {
	return c.call(func() C.int { return C.chief_worker_sleep(c.w, milliseconds(d)) })
}

// SendBytes sends to the mailbox of another worker; "*" is every other.
func (c *Context) SendBytes(ctx context.Context, to string, data []byte) error {
	var a arena
	defer a.free()
	name := a.name(to)
	return patiently(ctx, c, nil, func(timeout C.int64_t) C.int {
		return C.chief_worker_send(c.w, name, pointer(data), C.size_t(len(data)), timeout)
	})
}

// BroadcastBytes sends to every other worker that has room for it, and says how many those were.
func (c *Context) BroadcastBytes(data []byte) (int, error) {
	var n C.size_t
	err := c.call(func() C.int { return C.chief_worker_broadcast(c.w, pointer(data), C.size_t(len(data)), &n) })
	return int(n), err
}

// CallBytes asks another worker and waits for its answer, until the context is done.
func (c *Context) CallBytes(ctx context.Context, to string, data []byte) (*Message, error) {
	var a arena
	defer a.free()
	name := a.name(to)
	if !own(ctx, c) {
		return c.cancellableCall(ctx, name, data)
	}
	var msg *C.chief_msg
	err := c.call(func() C.int {
		return C.chief_worker_call(c.w, name, pointer(data), C.size_t(len(data)), forever, &msg)
	})
	return reply(msg, err)
}

// cancellableCall is a call in parts, whose waits another goroutine may end.
func (c *Context) cancellableCall(ctx context.Context, to *C.char, data []byte) (*Message, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	over, rung := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(rung)
		select {
		case <-ctx.Done():
			C.chief_wait_wake(c.w)
		case <-over:
		}
	}()
	defer func() { close(over); <-rung }()
	var box *C.chief_channel
	if err := call(func() C.int { return C.chief_worker_mailbox(c.w, to, 1, &box) }); err != nil {
		return nil, err
	}
	defer C.chief_channel_unref(box)
	var asked *C.chief_pending
	err := c.retry(ctx, box, nil, func() C.int {
		return C.chief_call_begin(c.w, box, pointer(data), C.size_t(len(data)), &asked)
	})
	if err != nil {
		return nil, err
	}
	defer C.chief_call_end(asked)
	var msg *C.chief_msg
	err = c.retry(ctx, nil, asked, func() C.int { return C.chief_call_take(asked, &msg) })
	return reply(msg, err)
}

// retry tries until there is room in the mailbox, the answer is there, or the context is done.
func (c *Context) retry(ctx context.Context, box *C.chief_channel, asked *C.chief_pending, try func() C.int) error {
	for {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		err := call(try)
		if err == nil || err.(*Error).code != C.CHIEF_EAGAIN {
			return err
		}
		if err := call(func() C.int { return C.chief_go_wait(c.w, box, asked) }); err != nil {
			return err
		}
	}
}

// reply takes over the answer to a call.
func reply(msg *C.chief_msg, err error) (*Message, error) {
	if err != nil {
		return nil, err
	}
	bytes := C.chief_msg_data(msg)
	m := &Message{Kind: "reply", Sender: C.GoString(C.chief_msg_sender(msg)), Deliveries: 1,
		data: view(bytes.data, bytes.len)}
	C.chief_msg_free(msg)
	return m, nil
}
