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

// CallBytes asks another worker and waits for its answer, until the deadline of the context or the worker's end.
func (c *Context) CallBytes(ctx context.Context, to string, data []byte) (*Message, error) {
	var a arena
	defer a.free()
	name, timeout := a.name(to), forever
	if !own(ctx, c) {
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		timeout = limit(ctx)
	}
	var msg *C.chief_msg
	err := c.call(func() C.int {
		return C.chief_worker_call(c.w, name, pointer(data), C.size_t(len(data)), timeout, &msg)
	})
	return reply(msg, err)
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
