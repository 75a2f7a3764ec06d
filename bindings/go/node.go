package chief

// #include "shim.h"
import "C"

import (
	"context"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// CtxKey is the type of the keys of the values that a chief places in its context; a string does as well.
type CtxKey string

// CtxKeyLog is where the logger is that InitWorkers was given.
const CtxKeyLog CtxKey = "chief-log"

// node is a context of C as a context.Context. It holds one reference.
type node struct {
	c      *C.chief_context
	outer  func() context.Context // whose values are seen behind those of c; may be nil, and say nil
	once   sync.Once
	done   chan struct{}
	mu     sync.Mutex
	file   *os.File // under mu; while the descriptor is watched
	closed bool     // under mu: what it belongs to has ended
}

// newNode takes over the caller's reference.
func newNode(c *C.chief_context, outer func() context.Context) *node {
	n := &node{c: c, outer: outer, done: make(chan struct{})}
	runtime.SetFinalizer(n, func(n *node) { C.chief_context_unref(n.c) })
	return n
}

// Done waits on a descriptor in Go's own poller, from the first call on: no thread is kept.
func (n *node) Done() <-chan struct{} {
	n.once.Do(n.watch)
	return n.done
}

func (n *node) watch() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.stopped() {
		close(n.done)
		return
	}
	file, err := readable(int(C.chief_context_fd(n.c)))
	if err != nil {
		go n.block()
		return
	}
	n.file = file
	go n.poll(file)
}

func (n *node) stopped() bool { return C.chief_context_err(n.c) != C.CHIEF_OK }

func (n *node) poll(file *os.File) {
	await(file, n.stopped)
	n.mu.Lock()
	defer n.mu.Unlock()
	file.Close()
	n.file = nil
	close(n.done)
}

// block keeps a thread, where there was no descriptor to be had.
func (n *node) block() {
	for C.chief_context_wait(n.c, 1000) != C.CHIEF_OK {
		n.mu.Lock()
		closed := n.closed
		n.mu.Unlock()
		if closed {
			break
		}
	}
	close(n.done)
}

// end makes it done with what it belongs to, though nobody has cancelled it.
func (n *node) end() {
	n.mu.Lock()
	n.closed = true
	if n.file != nil {
		_ = n.file.SetReadDeadline(time.Unix(1, 0))
	}
	n.mu.Unlock()
	runtime.KeepAlive(n)
}

func (n *node) Err() error {
	defer runtime.KeepAlive(n)
	switch C.chief_context_err(n.c) {
	case C.CHIEF_OK:
	case C.CHIEF_ETIMEDOUT:
		return context.DeadlineExceeded
	default:
		return context.Canceled
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return context.Canceled
	}
	return nil
}

// Reason says for people why the context is done; "" while it is not.
func (n *node) Reason() string {
	defer runtime.KeepAlive(n)
	return text(func(buf *C.char, size C.size_t) C.size_t { return C.chief_context_reason(n.c, buf, size) })
}

func (n *node) Deadline() (time.Time, bool) {
	defer runtime.KeepAlive(n)
	left := C.chief_context_remaining(n.c)
	if left < 0 {
		return time.Time{}, false
	}
	return time.Now().Add(duration(left)), true
}

// contextName is the name of a value in C.
func contextName(key any) (string, bool) {
	if tagged, is := key.(CtxKey); is {
		return string(tagged), true
	}
	name, ok := key.(string)
	return name, ok
}

func (n *node) Value(key any) any {
	defer runtime.KeepAlive(n)
	if name, ok := contextName(key); ok {
		if value, found := contextValue(n.c, name); found {
			return value
		}
	}
	if n.outer == nil {
		return nil
	}
	if outer := n.outer(); outer != nil {
		return outer.Value(key)
	}
	return nil
}

// text asks for a text until the buffer is large enough.
func text(write func(buf *C.char, size C.size_t) C.size_t) string {
	buf := make([]byte, 256)
	for {
		n := write((*C.char)(unsafe.Pointer(&buf[0])), C.size_t(len(buf)))
		if int(n) < len(buf) {
			return string(buf[:n])
		}
		buf = make([]byte, n+64)
	}
}

// readable is a descriptor of C's as a file that Go's poller watches; C's own is neither read nor closed.
func readable(fd int) (*os.File, error) {
	if fd < 0 {
		return nil, ErrSystem
	}
	twin, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, errno
	}
	return os.NewFile(twin, "chief"), nil
}

// await returns once ready says so, asked whenever the file is readable, or the file's deadline passes.
func await(file *os.File, ready func() bool) {
	conn, err := file.SyscallConn()
	if err == nil {
		_ = conn.Read(func(uintptr) bool { return ready() })
	}
}
