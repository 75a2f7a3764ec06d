package chief

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// scalar makes the value of a context that every worker sees as it is, in Lua and in processes too.
func scalar(v any) (C.chief_value, bool) {
	switch v := v.(type) {
	case nil:
		return C.chief_value{}, true
	case bool:
		return C.chief_value{_type: C.CHIEF_BOOL, boolean: flag(v)}, true
	case int:
		return C.chief_value{_type: C.CHIEF_INTEGER, integer: C.int64_t(v)}, true
	case int64:
		return C.chief_value{_type: C.CHIEF_INTEGER, integer: C.int64_t(v)}, true
	case float64:
		return C.chief_value{_type: C.CHIEF_NUMBER, number: C.double(v)}, true
	}
	return C.chief_value{}, false
}

// value makes a value that holds nothing of Go's; what is none of the plain ones becomes text.
func (a *arena) value(v any) C.chief_value {
	value, ok := scalar(v)
	if ok {
		return value
	}
	if data, is := v.([]byte); is {
		return C.chief_value{_type: C.CHIEF_BYTES, bytes: a.bytes(data)}
	}
	return C.chief_value{_type: C.CHIEF_BYTES, bytes: a.bytes([]byte(fmt.Sprint(v)))}
}

// setValue gives `set` the value to copy. What is no plain value stays in Go, and C holds its number.
func setValue(v any, set func(*C.chief_value) C.int) error {
	var a arena
	defer a.free()
	value, plain := scalar(v)
	switch v.(type) {
	case string, []byte:
		value, plain = a.value(v), true
	}
	given := (*C.chief_value)(a.alloc(C.sizeof_chief_value))
	*given = value
	var number uintptr
	if !plain {
		number = objects.keep(&contextObject{v})
		C.chief_go_set_number(given, C.uintptr_t(number))
	}
	err := call(func() C.int { return set(given) })
	if err != nil {
		objects.forget(number)
	}
	return err
}

// contextValue is false for a name without a value, and for a pointer that is none of Go's.
func contextValue(ctx *C.chief_context, name string) (any, bool) {
	var a arena
	defer a.free()
	value := (*C.chief_value)(a.alloc(C.sizeof_chief_value))
	if C.chief_context_get(ctx, a.name(name), value) != C.CHIEF_OK {
		return nil, false
	}
	defer C.chief_value_clear(value)
	if value._type == C.CHIEF_POINTER {
		held, ok := objects.get(uintptr(C.chief_go_number(value))).(*contextObject)
		if !ok {
			return nil, false
		}
		return held.value, true
	}
	return fieldValue(value), true
}

// fieldValue is a value of C's in Go; a pointer is shown as its address.
func fieldValue(value *C.chief_value) any {
	switch value._type {
	case C.CHIEF_BOOL:
		return value.boolean != 0
	case C.CHIEF_INTEGER:
		return int64(value.integer)
	case C.CHIEF_NUMBER:
		return float64(value.number)
	case C.CHIEF_BYTES:
		return C.GoStringN((*C.char)(value.bytes.data), C.int(value.bytes.len))
	case C.CHIEF_POINTER:
		return fmt.Sprintf("%#x", uintptr(C.chief_go_number(value)))
	}
	return nil
}

// contextObject tells Go's values from other people's pointers.
type contextObject struct{ value any }

//export goForget
func goForget(number C.uintptr_t) { objects.forget(uintptr(number)) }

func view(data unsafe.Pointer, n C.size_t) []byte {
	if n == 0 {
		return []byte{}
	}
	return C.GoBytes(data, C.int(n))
}
