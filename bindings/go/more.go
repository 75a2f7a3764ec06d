package chief

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// Version is that of the library.
func Version() string { return C.GoString(C.chief_version()) }

// AddProcess adds a worker whose every life is a child process of a program that is written for it (chief.h says how).
func (c *Chief) AddProcess(name string, how ProcessOptions, options ...WorkerOptions) error {
	return c.add(name, first(options), func(p *C.chief, name *C.char, a *arena, o *C.chief_worker_options) C.int {
		return C.chief_add_process(p, name, how.in(a), o)
	})
}

// AddPlugin adds a worker in C: a shared object that exports chief_plugin_v1.
func (c *Chief) AddPlugin(name, path string, options ...WorkerOptions) error {
	return c.add(name, first(options), func(p *C.chief, name *C.char, a *arena, o *C.chief_worker_options) C.int {
		return C.chief_add_plugin(p, name, a.name(path), o)
	})
}

// AddChief adds a worker that is a chief itself: `make` is called for each of its lives and gives one that was not started,
// which then belongs to the library: its Close does nothing any more.
func (c *Chief) AddChief(name string, make func() (*Chief, error), options ...WorkerOptions) error {
	number := objects.keep(make)
	err := c.add(name, first(options), func(p *C.chief, name *C.char, a *arena, o *C.chief_worker_options) C.int {
		return C.chief_go_add_chief(p, name, C.uintptr_t(number), o)
	})
	if err != nil {
		objects.forget(number)
	}
	return err
}

func (c *Chief) add(name string, o WorkerOptions,
	f func(p *C.chief, name *C.char, a *arena, o *C.chief_worker_options) C.int) error {
	args, err := packArgs(o.Args)
	if err != nil {
		return err
	}
	var a arena
	defer a.free()
	given := o.in(&a, args)
	err = c.about(name, func(p *C.chief, name *C.char) C.int { return f(p, name, &a, given) })
	if err != nil {
		o.drop(given)
	}
	return err
}

//export goMake
func goMake(number C.uintptr_t, out **C.chief) C.int {
	make := objects.get(uintptr(number)).(func() (*Chief, error))
	var inner *Chief
	result := apart(func() (err error) {
		if inner, err = make(); err == nil && inner == nil {
			err = failed(ErrInvalid, "the function should return a chief, got nil")
		}
		return err
	})
	if !result.failed {
		if *out = inner.give(); *out != nil {
			return C.CHIEF_OK
		}
		result.text = "the chief is closed"
	}
	var a arena
	defer a.free()
	return C.chief_set_last_error(C.CHIEF_EFAILED, a.name(result.text))
}

// give takes the chief out of the hands of Go.
func (c *Chief) give() *C.chief {
	if _, err := c.enter(); err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	given := c.c
	c.c, c.closed = nil, true
	close(c.closing)
	close(c.freed)
	return given
}

// NestedStates are the states inside a worker that is a chief.
func (c *Chief) NestedStates(name string) (*Snapshot, error) {
	var a arena
	defer a.free()
	text := a.name(name)
	p, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer c.leave()
	return snapshot(func(out **C.chief_snapshot) C.int { return C.chief_nested_states(p, text, out) })
}

// Traceback says where a Lua worker is now, without disturbing it.
func (c *Chief) Traceback(name string) (string, error) {
	buf := make([]byte, 4096)
	for {
		var n C.size_t
		err := c.about(name, func(p *C.chief, name *C.char) C.int {
			return C.chief_traceback(p, name, (*C.char)(unsafe.Pointer(&buf[0])), C.size_t(len(buf)), &n)
		})
		if err != nil {
			return "", err
		}
		if int(n) < len(buf) {
			return string(buf[:n]), nil
		}
		buf = make([]byte, n+1024)
	}
}

// Info is what the application says of itself, and what is known of it.
func (c *Chief) Info() (info Info, err error) {
	err = c.do(func(p *C.chief) C.int {
		var got C.chief_app_info
		got.size = C.sizeof_chief_app_info
		rc := C.chief_get_info(p, &got)
		info = Info{C.GoString(got.name), C.GoString(got.version), C.GoString(got.build), C.GoString(got.tag),
			int(got.pid), time.Time{}}
		if got.started_ms != 0 {
			info.Started = time.UnixMilli(int64(got.started_ms))
		}
		return rc
	})
	return info, err
}

// SetEventLevel sets the least level of the events that are kept.
func (c *Chief) SetEventLevel(level Level) error {
	return c.do(func(p *C.chief) C.int { return C.chief_set_event_level(p, C.int32_t(level)) })
}

// SetEnableByDefault says whether every worker is enabled when none is named.
func (c *Chief) SetEnableByDefault(on bool) error {
	return c.do(func(p *C.chief) C.int { return C.chief_set_enable_by_default(p, C.int(flag(on))) })
}

// SetForceStopTimeout sets the limit of the whole stop.
func (c *Chief) SetForceStopTimeout(d time.Duration) error {
	return c.do(func(p *C.chief) C.int { return C.chief_set_force_stop_timeout(p, milliseconds(d)) })
}

// SetExitWhenDone says whether the chief ends by itself when nothing runs and nothing is scheduled.
func (c *Chief) SetExitWhenDone(on bool) error {
	return c.do(func(p *C.chief) C.int { return C.chief_set_exit_when_done(p, C.int(flag(on))) })
}

// LateReplies is how many answers to calls came too late.
func (c *Chief) LateReplies() (n uint64) {
	_ = c.do(func(p *C.chief) C.int { n = uint64(C.chief_late_replies(p)); return 0 })
	return n
}

// Expire asks the chief to end this worker by force now, for a reason and with a text that its failure then has.
func (c *Context) Expire(reason Reason, why string) error {
	var a arena
	defer a.free()
	text := a.name(why)
	return c.call(func() C.int { C.chief_worker_expire(c.w, C.int32_t(reason), text, nil); return C.CHIEF_OK })
}
