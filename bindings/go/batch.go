package chief

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
)

// batch is several messages as C takes them: one after the other, and where each ends.
type batch struct {
	data []byte
	ends []C.size_t
}

func batchOf(messages [][]byte) batch {
	var b batch
	for _, m := range messages {
		b.data = append(b.data, m...)
		b.ends = append(b.ends, C.size_t(len(b.data)))
	}
	return b
}

// packMany makes all messages in one call.
func packMany(values []any) (batch, error) {
	var p packer
	counts := make([]C.size_t, len(values))
	for i, v := range values {
		before := len(p.tokens)
		if err := p.put(v); err != nil {
			return batch{}, err
		}
		counts[i] = C.size_t(len(p.tokens) - before)
	}
	b := batch{make([]byte, 9*len(p.tokens)+len(p.texts)), make([]C.size_t, len(values))}
	if len(values) == 0 {
		return b, nil
	}
	texts := (*C.char)(pointer(p.texts))
	err := call(func() C.int {
		return C.chief_go_pack_many(&p.tokens[0], &counts[0], C.size_t(len(counts)), texts, pointer(b.data),
			C.size_t(len(b.data)), &b.ends[0])
	})
	return b, err
}

// send sends in slices, as patiently calls it, and counts what went.
func (b batch) send(f func(data *byte, ends *C.size_t, n C.size_t, timeout C.int64_t, sent *C.size_t) C.int,
	wait func(func(timeout C.int64_t) C.int) error) (int, error) {
	if len(b.ends) == 0 {
		return 0, nil
	}
	if len(b.data) == 0 {
		b.data = []byte{0} // nothing but empty messages
	}
	done := 0
	err := wait(func(timeout C.int64_t) C.int {
		var sent, start C.size_t
		if done > 0 {
			start = b.ends[done-1]
		}
		rest := make([]C.size_t, len(b.ends)-done)
		for i := range rest {
			rest[i] = b.ends[done+i] - start
		}
		if int(start) == len(b.data) {
			start = 0 // only empty ones are left
		}
		rc := f(&b.data[start], &rest[0], C.size_t(len(rest)), timeout, &sent)
		done += int(sent)
		return rc
	})
	return done, err
}

func (ch *Channel) sendBatch(ctx context.Context, b batch) (int, error) {
	defer runtime.KeepAlive(ch)
	return b.send(func(data *byte, ends *C.size_t, n C.size_t, timeout C.int64_t, sent *C.size_t) C.int {
		return C.chief_go_send_many(ch.c, ch.worker(), nil, (*C.char)(ptr(data)), ends, n, timeout, sent)
	}, func(f func(C.int64_t) C.int) error { return patiently(ctx, ch.as, nil, f) })
}

// SendManyBytes sends several messages in order, and says how many went, also with an error.
func (ch *Channel) SendManyBytes(ctx context.Context, messages [][]byte) (int, error) {
	return ch.sendBatch(ctx, batchOf(messages))
}

// SendMany sends several values in order, and says how many went, also with an error.
func (ch *Channel) SendMany(ctx context.Context, values []any) (int, error) {
	b, err := packMany(values)
	if err != nil {
		return 0, err
	}
	return ch.sendBatch(ctx, b)
}

// SendMany sends several values to the mailbox of another worker, and says how many went, also with an error.
func (c *Context) SendMany(ctx context.Context, to string, values []any) (int, error) {
	b, err := packMany(values)
	if err != nil {
		return 0, err
	}
	var a arena
	defer a.free()
	name := a.name(to)
	return b.send(func(data *byte, ends *C.size_t, n C.size_t, timeout C.int64_t, sent *C.size_t) C.int {
		return C.chief_go_send_many(nil, c.w, name, (*C.char)(ptr(data)), ends, n, timeout, sent)
	}, func(f func(C.int64_t) C.int) error { return patiently(ctx, c, nil, f) })
}

// RecvMany waits for a message and takes all that are there then, `most` at most. In a worker they are in hand as a whole.
func (ch *Channel) RecvMany(ctx context.Context, most int) ([]*Message, error) {
	defer runtime.KeepAlive(ch)
	return receiveMany(ctx, ch.as, ch.c, most)
}

// RecvMany waits for a message of the mailbox and takes all that are there then, `most` at most. Calls among
// them are to be answered before the next are asked for.
func (c *Context) RecvMany(ctx context.Context, most int) ([]*Message, error) {
	return receiveMany(ctx, c, nil, most)
}

// receiveMany receives from a channel, or where that is nil from the mailbox of `as`.
func receiveMany(ctx context.Context, as *Context, ch *C.chief_channel, most int) ([]*Message, error) {
	if most < 1 {
		return nil, failed(ErrInvalid, "RecvMany should be given how many at most, 1 or more")
	}
	got := make([]C.chief_go_received, most)
	var n C.size_t
	var worker *C.chief_worker
	if as != nil {
		worker = as.w
	}
	err := patiently(ctx, as, nil, func(timeout C.int64_t) C.int {
		return C.chief_go_receive_many(ch, worker, timeout, &got[0], C.size_t(most), &n)
	})
	if err != nil {
		return nil, err
	}
	return takeMany(got[:n]), nil
}

// takeMany copies the messages into memory that they share, and frees them at once, all but calls.
func takeMany(got []C.chief_go_received) []*Message {
	size := 0
	for i := range got {
		size += int(got[i].len)
	}
	data, block := make([]byte, 0, size), make([]Message, len(got))
	list := make([]*Message, len(got))
	for i := range got {
		if got[i].kind == 'c' { // it stays in C until it is answered
			list[i] = &Message{raw: got[i]}
			list[i].take()
			got[i].msg = nil
			continue
		}
		m := &block[i]
		m.raw = got[i]
		start := len(data)
		data = append(data, peek(m.raw.data, m.raw.len)...)
		m.data = data[start:len(data):len(data)]
		m.describe(i, list)
		list[i] = m
	}
	C.chief_go_free_many(&got[0], C.size_t(len(got)))
	return list
}

// describe fills in what is beside the bytes; what the message before says, too, is not copied again.
func (m *Message) describe(i int, list []*Message) {
	m.Kind = kinds[m.raw.kind]
	m.Deliveries = int(m.raw.deliveries)
	if i > 0 && same(m.raw.sender, list[i-1].Sender) && same(m.raw.channel, list[i-1].Channel) {
		m.Sender, m.Channel = list[i-1].Sender, list[i-1].Channel
	} else {
		m.Sender, m.Channel = C.GoString(m.raw.sender), C.GoString(m.raw.channel)
	}
	m.raw = C.chief_go_received{}
}
