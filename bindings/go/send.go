package chief

// #include "shim.h"
import "C"

import "context"

// Send sends a value, see Pack. Where the channel is full and its Overflow is Block it waits for room, until the context is
// done.
func (ch *Channel) Send(ctx context.Context, v any) error {
	data, err := Pack(v)
	if err != nil {
		return err
	}
	return ch.SendBytes(ctx, data)
}

// Send sends a value to the mailbox of another worker; "*" is every other.
func (c *Context) Send(ctx context.Context, to string, v any) error {
	data, err := Pack(v)
	if err != nil {
		return err
	}
	return c.SendBytes(ctx, to, data)
}

// Broadcast sends a value to every other worker that has room for it, and says how many those were.
func (c *Context) Broadcast(v any) (int, error) {
	data, err := Pack(v)
	if err != nil {
		return 0, err
	}
	return c.BroadcastBytes(data)
}

// Call asks another worker and waits for its answer, until the deadline of the context or the worker's end.
func (c *Context) Call(ctx context.Context, to string, v any) (*Message, error) {
	data, err := Pack(v)
	if err != nil {
		return nil, err
	}
	return c.CallBytes(ctx, to, data)
}

// Reply answers a call.
func (m *Message) Reply(v any) error {
	data, err := Pack(v)
	if err != nil {
		return err
	}
	return m.ReplyBytes(data)
}

// SendBytes sends to the mailbox of a worker from outside; "*" is every worker.
func (c *Chief) SendBytes(ctx context.Context, to string, data []byte) error {
	var a arena
	defer a.free()
	name := a.name(to)
	return c.while(ctx, func(p *C.chief, timeout C.int64_t) C.int {
		return C.chief_send(p, name, pointer(data), C.size_t(len(data)), timeout)
	})
}

// Send sends a value to the mailbox of a worker from outside; "*" is every worker.
func (c *Chief) Send(ctx context.Context, to string, v any) error {
	data, err := Pack(v)
	if err != nil {
		return err
	}
	return c.SendBytes(ctx, to, data)
}

// Broadcast sends a value to every worker that has room for it, and says how many those were.
func (c *Chief) Broadcast(v any) (int, error) {
	data, err := Pack(v)
	if err != nil {
		return 0, err
	}
	var n C.size_t
	err = c.do(func(p *C.chief) C.int { return C.chief_broadcast(p, pointer(data), C.size_t(len(data)), &n) })
	return int(n), err
}

// CallBytes asks a worker from outside and waits for its answer until the context is done. Before Launch it waits for that
// first: nobody would answer, and nothing in C would end the wait.
func (c *Chief) CallBytes(ctx context.Context, to string, data []byte) (*Message, error) {
	if _, err := c.enter(); err != nil {
		return nil, err
	}
	c.leave()
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	select {
	case <-c.launched:
	case <-c.closing:
	case <-ctx.Done():
		return nil, ended(ctx)
	}
	if ctx.Done() == nil {
		return c.ask(forever, to, data)
	}
	type answer struct {
		m   *Message
		err error
	}
	answers := make(chan answer, 1)
	data = append([]byte{}, data...) // the caller's own may change once this has returned
	go func() {
		m, err := c.ask(limit(ctx), to, data)
		answers <- answer{m, err}
	}()
	select {
	case a := <-answers:
		return a.m, a.err
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

func (c *Chief) ask(timeout C.int64_t, to string, data []byte) (*Message, error) {
	var msg *C.chief_msg
	err := c.about(to, func(p *C.chief, name *C.char) C.int {
		return C.chief_call(p, name, pointer(data), C.size_t(len(data)), timeout, &msg)
	})
	return reply(msg, err)
}

// Call asks a worker from outside and waits for its answer until the context is done.
func (c *Chief) Call(ctx context.Context, to string, v any) (*Message, error) {
	data, err := Pack(v)
	if err != nil {
		return nil, err
	}
	return c.CallBytes(ctx, to, data)
}
