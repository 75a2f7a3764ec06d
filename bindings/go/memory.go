package chief

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"math"
	"time"
	"unsafe"
)

// Zero says zero in a duration or a number of an options structure, where 0 means the default.
const Zero = time.Duration(math.MinInt64)

// arena holds what C reads during one call: options with their strings and lists.
type arena struct{ blocks []unsafe.Pointer }

func (a *arena) alloc(size uintptr) unsafe.Pointer {
	block := C.calloc(1, C.size_t(size))
	a.blocks = append(a.blocks, block)
	return block
}

func (a *arena) free() {
	for _, block := range a.blocks {
		C.free(block)
	}
	a.blocks = nil
}

// text is NULL for "", which is a default everywhere.
func (a *arena) text(s string) *C.char {
	if s == "" {
		return nil
	}
	return a.name(s)
}

func (a *arena) name(s string) *C.char {
	block := C.CString(s)
	a.blocks = append(a.blocks, unsafe.Pointer(block))
	return block
}

func (a *arena) names(list []string) (**C.char, C.size_t) {
	if len(list) == 0 {
		return nil, 0
	}
	block := (**C.char)(a.alloc(uintptr(len(list)) * unsafe.Sizeof((*C.char)(nil))))
	names := unsafe.Slice(block, len(list))
	for i, s := range list {
		names[i] = a.name(s)
	}
	return block, C.size_t(len(list))
}

func (a *arena) bytes(data []byte) C.chief_bytes {
	if len(data) == 0 {
		return C.chief_bytes{}
	}
	block := C.CBytes(data)
	a.blocks = append(a.blocks, block)
	return C.chief_bytes{data: block, len: C.size_t(len(data))}
}

// milliseconds rounds up, so that a short wait is not none.
func milliseconds(d time.Duration) C.int64_t {
	if d == Zero {
		return math.MinInt64
	}
	ms := C.int64_t(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}

// count is a number where 0 means the default, and Zero (or anything below) none.
func count(n int64) C.int64_t {
	if n < 0 {
		return math.MinInt64
	}
	return C.int64_t(n)
}

func duration(ms C.int64_t) time.Duration { return time.Duration(ms) * time.Millisecond }

func flag(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// pointer is where C reads bytes from during one call.
func pointer(data []byte) unsafe.Pointer {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Pointer(&data[0])
}

func ptr(data *byte) unsafe.Pointer { return unsafe.Pointer(data) }

// peek is memory of C's, without a copy.
func peek(data unsafe.Pointer, n C.size_t) []byte { return unsafe.Slice((*byte)(data), int(n)) }

// same compares without a copy.
func same(c *C.char, s string) bool {
	for i := 0; i < len(s); i++ {
		if b := *(*byte)(unsafe.Add(unsafe.Pointer(c), i)); b == 0 || b != s[i] {
			return false
		}
	}
	return *(*byte)(unsafe.Add(unsafe.Pointer(c), len(s))) == 0
}
