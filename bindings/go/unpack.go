package chief

// #include "shim.h"
import "C"

import (
	"fmt"
	"reflect"
	"sync"
)

// unpacker goes through the tokens of a message.
type unpacker struct {
	tokens []C.chief_go_token
	data   []byte
}

// Unpack is the value of a message: nil, bool, int64, float64, string (text), []byte, []any, map[string]any, or map[any]any
// where a key is no text.
func Unpack(data []byte) (any, error) {
	few := tokenBuffers.Get().(*[fewTokens]C.chief_go_token)
	defer tokenBuffers.Put(few)
	tokens := few[:]
	for {
		var n C.size_t
		err := call(func() C.int {
			return C.chief_go_unpack(pointer(data), C.size_t(len(data)), &tokens[0], C.size_t(len(tokens)), &n)
		})
		if err == nil {
			u := unpacker{tokens[:n], data}
			return u.next(), nil
		}
		if int(n) <= len(tokens) {
			return nil, err
		}
		tokens = make([]C.chief_go_token, n)
	}
}

const fewTokens = 64

var tokenBuffers = sync.Pool{New: func() any { return new([fewTokens]C.chief_go_token) }}

func (u *unpacker) next() any {
	t := u.tokens[0]
	u.tokens = u.tokens[1:]
	switch t.kind {
	case C.CHIEF_TOKEN_BOOL:
		return t.integer != 0
	case C.CHIEF_TOKEN_INT:
		return int64(t.integer)
	case C.CHIEF_TOKEN_FLOAT:
		return float64(t.number)
	case C.CHIEF_TOKEN_STR:
		return string(u.data[t.offset : t.offset+t.len])
	case C.CHIEF_TOKEN_BIN:
		return append([]byte{}, u.data[t.offset:t.offset+t.len]...)
	case C.CHIEF_TOKEN_ARRAY:
		list := make([]any, int(t.len))
		for i := range list {
			list[i] = u.next()
		}
		return list
	case C.CHIEF_TOKEN_MAP:
		return u.mapping(int(t.len))
	}
	return nil
}

// mapping has keys that are text, as long as they are.
func (u *unpacker) mapping(n int) any {
	named := make(map[string]any, n)
	for i := 0; i < n; i++ {
		key := u.next()
		name, ok := key.(string)
		if !ok {
			return u.anyKeys(named, key, n-i)
		}
		named[name] = u.next()
	}
	return named
}

func (u *unpacker) anyKeys(named map[string]any, key any, left int) any {
	all := make(map[any]any, len(named)+left)
	for name, value := range named {
		all[name] = value
	}
	for ; left > 0; left-- {
		if data, ok := key.([]byte); ok {
			key = string(data)
		}
		all[key] = u.next()
		if left > 1 {
			key = u.next()
		}
	}
	return all
}

// Decode puts the value of a message where `into` points: it is converted to the type there, a map to a struct by its
// fields' names or tags `chief:"name"`, too.
func Decode(data []byte, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return failed(ErrInvalid, fmt.Sprintf("Decode should be given a pointer, got %T", into))
	}
	value, err := Unpack(data)
	if err != nil {
		return err
	}
	return assign(target.Elem(), value, "")
}

func misfit(dst reflect.Value, value any, path string) error {
	text := fmt.Sprintf("the message should fit a %s, got %T", dst.Type(), value)
	if path != "" {
		text += " (at " + path + ")"
	}
	return failed(ErrBadData, text)
}

func assign(dst reflect.Value, value any, path string) error {
	if value == nil {
		dst.Set(reflect.Zero(dst.Type()))
		return nil
	}
	if source := reflect.ValueOf(value); source.Type().AssignableTo(dst.Type()) {
		dst.Set(source)
		return nil
	}
	if dst.Kind() == reflect.Pointer {
		made := reflect.New(dst.Type().Elem())
		if err := assign(made.Elem(), value, path); err != nil {
			return err
		}
		dst.Set(made)
		return nil
	}
	switch value := value.(type) {
	case bool, string, []byte, int64, float64:
		return assignPlain(dst, value, path)
	case []any:
		return assignList(dst, value, path)
	case map[string]any:
		if dst.Kind() == reflect.Struct {
			return assignFields(dst, value, path)
		}
		return assignMap(dst, reflect.ValueOf(value), path)
	case map[any]any:
		return assignMap(dst, reflect.ValueOf(value), path)
	}
	return misfit(dst, value, path)
}

func assignPlain(dst reflect.Value, value any, path string) error {
	source := reflect.ValueOf(value)
	switch kind := dst.Kind(); {
	case kind == reflect.Bool && source.Kind() == reflect.Bool:
		dst.SetBool(source.Bool())
		return nil
	case kind == reflect.String && (source.Kind() == reflect.String || source.Kind() == reflect.Slice):
		dst.SetString(source.Convert(reflect.TypeOf("")).String())
		return nil
	case kind == reflect.Slice && dst.Type().Elem().Kind() == reflect.Uint8 && source.Kind() == reflect.String:
		dst.SetBytes([]byte(source.String()))
		return nil
	case dst.CanInt() && source.Kind() == reflect.Int64 && !dst.OverflowInt(source.Int()):
		dst.SetInt(source.Int())
		return nil
	case dst.CanUint() && source.Kind() == reflect.Int64 && source.Int() >= 0 && !dst.OverflowUint(uint64(source.Int())):
		dst.SetUint(uint64(source.Int()))
		return nil
	case dst.CanFloat() && source.CanConvert(dst.Type()) && source.Kind() != reflect.String:
		dst.Set(source.Convert(dst.Type()))
		return nil
	}
	return misfit(dst, value, path)
}

func assignList(dst reflect.Value, list []any, path string) error {
	switch {
	case dst.Kind() == reflect.Slice:
		dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
	case dst.Kind() == reflect.Map && len(list) == 0: // an empty table of Lua is an array
		dst.Set(reflect.MakeMap(dst.Type()))
		return nil
	case dst.Kind() == reflect.Struct && len(list) == 0:
		return nil
	case dst.Kind() != reflect.Array || dst.Len() != len(list):
		return misfit(dst, list, path)
	}
	for i, value := range list {
		if err := assign(dst.Index(i), value, fmt.Sprintf("%s[%d]", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func assignMap(dst, source reflect.Value, path string) error {
	if dst.Kind() != reflect.Map {
		return misfit(dst, source.Interface(), path)
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), source.Len()))
	for it := source.MapRange(); it.Next(); {
		key, value := reflect.New(dst.Type().Key()).Elem(), reflect.New(dst.Type().Elem()).Elem()
		step := fmt.Sprintf("%s.%v", path, it.Key())
		if err := assign(key, it.Key().Interface(), step); err != nil {
			return err
		}
		if err := assign(value, it.Value().Interface(), step); err != nil {
			return err
		}
		dst.SetMapIndex(key, value)
	}
	return nil
}

// assignFields leaves a field alone that the message does not have.
func assignFields(dst reflect.Value, source map[string]any, path string) error {
	for i := 0; i < dst.NumField(); i++ {
		name := fieldName(dst.Type().Field(i))
		value, ok := source[name]
		if name == "" || !ok {
			continue
		}
		if err := assign(dst.Field(i), value, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// Value is the message as a Go value, see Unpack.
func (m *Message) Value() (any, error) { return Unpack(m.data) }

// Decode puts the message where `into` points, see Decode.
func (m *Message) Decode(into any) error { return Decode(m.data, into) }

// Args are the worker's arguments as a Go value; nil where there are none.
func (c *Context) Args() (any, error) {
	if len(c.args) == 0 {
		return nil, nil
	}
	return Unpack(c.args)
}

// DecodeArgs puts the worker's arguments where `into` points; it changes nothing where there are none.
func (c *Context) DecodeArgs(into any) error {
	if len(c.args) == 0 {
		return nil
	}
	return Decode(c.args, into)
}
