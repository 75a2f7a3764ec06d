package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// Channel is a bounded queue of messages with a name. The host's own may be used by any number of goroutines; that of a
// worker (Context.Channel) sends and receives in the worker's name.
type Channel struct {
	c    *C.chief_channel
	as   *Context // nil: the host
	name string
}

func ownChannel(c *C.chief_channel, as *Context) *Channel {
	ch := &Channel{c, as, C.GoString(C.chief_channel_name(c))}
	runtime.SetFinalizer(ch, func(ch *Channel) { C.chief_channel_unref(ch.c) })
	return ch
}

// NewChannel is a channel outside any chief.
func NewChannel(name string, options ...ChannelOptions) (*Channel, error) {
	var a arena
	defer a.free()
	var c *C.chief_channel
	text, o := a.name(name), first(options).in(&a)
	if err := call(func() C.int { return C.chief_channel_new(&c, text, o) }); err != nil {
		return nil, err
	}
	return ownChannel(c, nil), nil
}

func first[T any](options []T) (o T) {
	if len(options) > 0 {
		o = options[0]
	}
	return o
}

// Name is the channel's name.
func (ch *Channel) Name() string { return ch.name }

func (ch *Channel) worker() *C.chief_worker {
	if ch.as == nil {
		return nil
	}
	return ch.as.w
}

// SendBytes sends a copy of the bytes. Where the channel is full and its Overflow is Block it waits for room, until the
// context is done.
func (ch *Channel) SendBytes(ctx context.Context, data []byte) error {
	defer runtime.KeepAlive(ch)
	return patiently(ctx, ch.as, nil, func(timeout C.int64_t) C.int {
		return C.chief_channel_send(ch.c, ch.worker(), pointer(data), C.size_t(len(data)), timeout)
	})
}

// Recv waits for the next message. What is queued comes also when the context is done, and from a closed channel
// (afterwards: ErrClosed). In a worker, to ask for the next is to acknowledge the one before.
func (ch *Channel) Recv(ctx context.Context) (*Message, error) {
	defer runtime.KeepAlive(ch)
	m, _, err := inlet{ch.as, []*C.chief_channel{ch.c}}.receive(ctx)
	return m, err
}

// Ack acknowledges all that the worker has received from this channel.
func (ch *Channel) Ack() error {
	if ch.as == nil {
		return nil
	}
	defer runtime.KeepAlive(ch)
	return ch.as.call(func() C.int { C.chief_channel_ack(ch.c, ch.as.w); return C.CHIEF_OK })
}

// Close ends the sending; what is queued is still received, then ErrClosed. Closing twice is no error.
func (ch *Channel) Close() error {
	C.chief_channel_close(ch.c)
	runtime.KeepAlive(ch)
	return nil
}

// Len is how many messages are queued now.
func (ch *Channel) Len() int {
	defer runtime.KeepAlive(ch)
	return int(C.chief_channel_len(ch.c))
}

// Stats are the channel's counters.
func (ch *Channel) Stats() ChannelStats {
	defer runtime.KeepAlive(ch)
	var s C.chief_channel_stats
	s.size = C.uint32_t(unsafe.Sizeof(s))
	C.chief_channel_get_stats(ch.c, &s)
	return ChannelStats{uint64(s.capacity), uint64(s.sent), uint64(s.received), uint64(s.queued), uint64(s.dropped),
		uint64(s.acknowledged), uint64(s.in_hand), uint64(s.redelivered), uint64(s.dead)}
}

// Iter goes through the messages of a channel or a mailbox:
//
//	for it := ch.Iter(ctx); it.Next(); {
//		handle(it.Message())
//	}
//
// It ends when there is nothing more to come: closed and empty, or the context is done and nothing is queued. Err is nil
// then.
type Iter struct {
	ctx     context.Context
	recv    func(context.Context) (*Message, error)
	message *Message
	err     error
}

// Iter goes through the channel's messages.
func (ch *Channel) Iter(ctx context.Context) *Iter { return &Iter{ctx: ctx, recv: ch.Recv} }

// Next waits for the next message; false at the end.
func (it *Iter) Next() bool {
	it.message, it.err = it.recv(it.ctx)
	return it.err == nil
}

// Message is what Next has found.
func (it *Iter) Message() *Message { return it.message }

// Err is why it ended, nil where it ended as it should.
func (it *Iter) Err() error {
	if e, ok := it.err.(*Error); ok {
		switch e.code {
		case C.CHIEF_ECLOSED, C.CHIEF_ECANCELED, C.CHIEF_ETIMEDOUT:
			return nil
		}
	}
	return it.err
}
