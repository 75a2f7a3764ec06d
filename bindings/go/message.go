package chief

// #include "shim.h"
import "C"

import (
	"runtime"
	"sync"
)

// Message is one message as it was received.
type Message struct {
	// Sender is the name of the worker that sent it; "" from outside.
	Sender string
	// Kind is "message", "call" or "broadcast".
	Kind string
	// Channel is the name of the channel it came by; "" for a mailbox.
	Channel string
	// Deliveries is how often it has been handed to a receiver; 1 is a first delivery.
	Deliveries int

	raw  C.chief_go_received
	data []byte
	mu   sync.Mutex
}

var kinds = map[C.int32_t]string{'m': "message", 'c': "call", 'b': "broadcast"}

// take copies what came; what waits for an answer is kept in C until it has one.
func (m *Message) take() {
	m.data = view(m.raw.data, m.raw.len)
	m.Sender = C.GoString(m.raw.sender)
	m.Channel = C.GoString(m.raw.channel)
	m.Kind = kinds[m.raw.kind]
	m.Deliveries = int(m.raw.deliveries)
	if m.raw.kind == 'c' {
		runtime.SetFinalizer(m, (*Message).free)
		return
	}
	m.free()
}

func (m *Message) free() {
	C.chief_msg_free(m.raw.msg)
	m.raw = C.chief_go_received{}
}

// Bytes is the payload as it was sent.
func (m *Message) Bytes() []byte { return m.data }

func (m *Message) answer(f func(msg *C.chief_msg) C.int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.raw.msg == nil {
		return failed(ErrNotFound, "the message is no call, or was answered before")
	}
	err := call(func() C.int { return f(m.raw.msg) })
	if err == nil {
		runtime.SetFinalizer(m, nil)
		m.free()
	}
	return err
}

// ReplyBytes answers a call.
func (m *Message) ReplyBytes(data []byte) error {
	return m.answer(func(msg *C.chief_msg) C.int {
		return C.chief_msg_reply(msg, pointer(data), C.size_t(len(data)))
	})
}

// Fail answers a call with a failure: its caller gets ErrCallFailed and the text.
func (m *Message) Fail(text string) error {
	var a arena
	defer a.free()
	reason := a.name(text)
	return m.answer(func(msg *C.chief_msg) C.int { return C.chief_msg_fail(msg, reason) })
}

// Overflow is what a send to a full channel does.
type Overflow int32

// What a send to a full channel does.
const (
	Block      Overflow = C.CHIEF_BLOCK
	DropOldest Overflow = C.CHIEF_DROP_OLDEST
	FailFull   Overflow = C.CHIEF_FAIL
)

// Delivery is what becomes of a message whose receiver dies with it in hand.
type Delivery int32

// What becomes of a message whose receiver dies with it in hand.
const (
	AtMostOnce  Delivery = C.CHIEF_AT_MOST_ONCE
	AtLeastOnce Delivery = C.CHIEF_AT_LEAST_ONCE
)

// ChannelOptions are the keys of a channel in an app file; what is zero is the default.
type ChannelOptions struct {
	Capacity      int // messages; default 64
	Overflow      Overflow
	Delivery      Delivery
	MaxDeliveries int    // default 5; below 0: no limit
	MaxMessage    int    // bytes; default 16 MiB
	Dead          string // the channel where a message goes after MaxDeliveries
}

func (o ChannelOptions) in(a *arena) *C.chief_channel_options {
	c := (*C.chief_channel_options)(a.alloc(C.sizeof_chief_channel_options))
	c.size = C.sizeof_chief_channel_options
	c.overflow = C.int32_t(o.Overflow)
	c.delivery = C.int32_t(o.Delivery)
	c.capacity = C.uint32_t(o.Capacity)
	c.max_deliveries = count(int64(o.MaxDeliveries))
	c.max_message = C.int64_t(o.MaxMessage)
	c.dead = a.text(o.Dead)
	return c
}

// ChannelStats are the counters of a channel at one moment: Sent = Received + Queued + Dropped, and Received =
// Acknowledged + InHand.
type ChannelStats struct {
	Capacity, Sent, Received, Queued, Dropped, Acknowledged, InHand, Redelivered, Dead uint64
}
