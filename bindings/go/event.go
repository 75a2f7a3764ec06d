package chief

// #include "shim.h"
import "C"

import (
	"context"
	"os"
	"time"
)

// EventKind is what an event tells.
type EventKind int32

// What an event tells.
const (
	EventState            EventKind = C.CHIEF_EVENT_STATE
	EventWrongStateChange EventKind = C.CHIEF_EVENT_WRONG_STATE_CHANGE
	EventReady            EventKind = C.CHIEF_EVENT_READY
	EventRestart          EventKind = C.CHIEF_EVENT_RESTART
	EventGivenUp          EventKind = C.CHIEF_EVENT_GIVEN_UP
	EventAbandoned        EventKind = C.CHIEF_EVENT_ABANDONED
	EventRemoved          EventKind = C.CHIEF_EVENT_REMOVED
	EventMessageDropped   EventKind = C.CHIEF_EVENT_MESSAGE_DROPPED
	EventNote             EventKind = C.CHIEF_EVENT_NOTE
	EventSignal           EventKind = C.CHIEF_EVENT_SIGNAL
	EventStopping         EventKind = C.CHIEF_EVENT_STOPPING
	EventHookTimeout      EventKind = C.CHIEF_EVENT_HOOK_TIMEOUT
	EventStopped          EventKind = C.CHIEF_EVENT_STOPPED
	EventForced           EventKind = C.CHIEF_EVENT_FORCED
)

func (k EventKind) String() string { return C.GoString(C.chief_event_kind_name(C.int32_t(k))) }

// Event is something that happened to a chief or to one of its workers.
type Event struct {
	Kind       EventKind
	Level      Level
	Seq        uint64        // 1, 2, 3 …: a gap is what was dropped, or below the event level
	Time       time.Duration // on the monotonic clock
	Worker     string
	Generation uint64
	State      WorkerState
	Previous   WorkerState
	Reason     Reason
	Delay      time.Duration // of EventRestart
	Channel    string
	Error      string
	Traceback  string
}

func takeEvent(c *C.chief_event) Event {
	defer C.chief_event_free(c)
	return Event{
		Kind: EventKind(c.kind), Level: Level(c.level), Seq: uint64(c.seq), Time: duration(c.time_ms),
		Worker: C.GoString(c.worker), Generation: uint64(c.generation), State: WorkerState(c.state),
		Previous: WorkerState(c.previous), Reason: Reason(c.reason), Delay: duration(c.delay_ms),
		Channel: C.GoString(c.channel), Error: C.GoString(c.error), Traceback: C.GoString(c.traceback),
	}
}

const eventBatch = 64

// takeEvents is empty while there are none; false when none will come any more.
func (c *Chief) takeEvents() (list []Event, more bool) {
	p, err := c.enter()
	if err != nil {
		return nil, false
	}
	defer c.leave()
	var batch [eventBatch]*C.chief_event
	var n C.size_t
	rc := C.chief_take_events(p, &batch[0], eventBatch, 0, &n)
	for _, event := range batch[:n] {
		list = append(list, takeEvent(event))
	}
	return list, rc != C.CHIEF_ECLOSED
}

// Events gives the chief's events from now on, until it has stopped, is closed, or the context is done; then the channel is
// closed. The chief keeps the newest EventCapacity of those that nobody has taken; what one call of Events takes, another
// does not see.
func (c *Chief) Events(ctx context.Context) (<-chan Event, error) {
	p, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer c.leave()
	file, err := readable(int(C.chief_events_fd(p)))
	if err != nil {
		return nil, err
	}
	out, over := make(chan Event), make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-c.closing:
		case <-over:
		}
		_ = file.SetReadDeadline(time.Unix(1, 0))
	}()
	go func() {
		defer file.Close()
		defer close(over)
		defer close(out)
		for c.pass(ctx, file, out) {
		}
	}()
	return out, nil
}

// pass waits for events and hands them on; false when that is over.
func (c *Chief) pass(ctx context.Context, file *os.File, out chan<- Event) bool {
	var list []Event
	more := false
	await(file, func() bool {
		list, more = c.takeEvents()
		return len(list) > 0 || !more
	})
	for _, event := range list {
		select {
		case out <- event:
		case <-ctx.Done():
			return false
		case <-c.closing:
			return false
		}
	}
	return len(list) > 0 && more
}

// EventsDropped is how many events were lost because nobody took them.
func (c *Chief) EventsDropped() uint64 {
	p, err := c.enter()
	if err != nil {
		return 0
	}
	defer c.leave()
	return uint64(C.chief_events_dropped(p))
}
