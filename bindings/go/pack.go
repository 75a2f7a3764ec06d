package chief

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// packer makes tokens of a Go value; C makes the message of those.
type packer struct {
	tokens []C.chief_go_token
	texts  []byte
	path   []string // where it is, for errors
}

// What cannot be sent says so in the words that the library has for a Lua value.
func (p *packer) refuse(what string) error {
	text := "can't send " + what
	if path := strings.Join(p.path, ""); path != "" {
		text += " (at " + path + ")"
	}
	return failed(ErrInvalid, text)
}

func (p *packer) token(kind C.int32_t, integer int64) {
	p.tokens = append(p.tokens, C.chief_go_token{kind: kind, integer: C.int64_t(integer)})
}

func (p *packer) container(kind C.int32_t, n int) {
	p.tokens = append(p.tokens, C.chief_go_token{kind: kind, len: C.uint64_t(n)})
}

func (p *packer) float(number float64) {
	p.tokens = append(p.tokens, C.chief_go_token{kind: C.CHIEF_TOKEN_FLOAT, number: C.double(number)})
}

func (p *packer) text(s string) {
	t := C.chief_go_token{kind: C.CHIEF_TOKEN_STR, offset: C.uint64_t(len(p.texts)), len: C.uint64_t(len(s))}
	p.tokens, p.texts = append(p.tokens, t), append(p.texts, s...)
}

func (p *packer) bytes(data []byte) {
	t := C.chief_go_token{kind: C.CHIEF_TOKEN_BIN, offset: C.uint64_t(len(p.texts)), len: C.uint64_t(len(data))}
	p.tokens, p.texts = append(p.tokens, t), append(p.texts, data...)
}

func (p *packer) boolean(on bool) {
	p.token(C.CHIEF_TOKEN_BOOL, int64(flag(on)))
}

// put knows the common types; others are looked into.
func (p *packer) put(v any) error {
	switch v := v.(type) {
	case nil:
		p.token(C.CHIEF_TOKEN_NIL, 0)
	case string:
		p.text(v)
	case []byte:
		p.bytes(v)
	case int:
		p.token(C.CHIEF_TOKEN_INT, int64(v))
	case int64:
		p.token(C.CHIEF_TOKEN_INT, v)
	case float64:
		p.float(v)
	case bool:
		p.boolean(v)
	default:
		return p.look(reflect.ValueOf(v))
	}
	return nil
}

func (p *packer) look(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Invalid:
		p.token(C.CHIEF_TOKEN_NIL, 0)
	case reflect.Bool:
		p.boolean(v.Bool())
	case reflect.String:
		p.text(v.String())
	case reflect.Float32, reflect.Float64:
		p.float(v.Float())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.token(C.CHIEF_TOKEN_INT, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v.Uint() > math.MaxInt64 {
			return p.refuse("an integer beyond 64 bits with a sign")
		}
		p.token(C.CHIEF_TOKEN_INT, int64(v.Uint()))
	case reflect.Pointer, reflect.Interface:
		return p.deeper("", v.Elem())
	case reflect.Slice, reflect.Array:
		return p.list(v)
	case reflect.Map:
		return p.mapping(v)
	case reflect.Struct:
		return p.structure(v)
	default:
		return p.refuse("a " + v.Kind().String())
	}
	return nil
}

// maxDepth is far beyond what the library takes, and ends what refers to itself.
const maxDepth = 1000

func (p *packer) deeper(step string, v reflect.Value) error {
	if len(p.path) > maxDepth {
		p.path = nil
		return p.refuse("a value that refers to itself, or is nested too deeply")
	}
	p.path = append(p.path, step)
	err := p.look(v)
	p.path = p.path[:max(len(p.path)-1, 0)]
	return err
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func (p *packer) list(v reflect.Value) error {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		p.bytes(v.Bytes())
		return nil
	}
	p.container(C.CHIEF_TOKEN_ARRAY, v.Len())
	for i := 0; i < v.Len(); i++ {
		if err := p.deeper(fmt.Sprintf("[%d]", i+1), v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (p *packer) mapping(v reflect.Value) error {
	p.container(C.CHIEF_TOKEN_MAP, v.Len())
	for it := v.MapRange(); it.Next(); {
		key := it.Key()
		for key.Kind() == reflect.Interface {
			key = key.Elem()
		}
		switch key.Kind() {
		case reflect.Float32, reflect.Float64, reflect.Struct, reflect.Array, reflect.Pointer, reflect.Chan, reflect.Invalid:
			return p.refuse("a " + key.Kind().String() + " key")
		}
		if err := p.look(key); err != nil {
			return err
		}
		if err := p.deeper(fmt.Sprintf(".%v", key), it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// structure sends the exported fields, by the name in the tag `chief:"name"`, else by their own; "-" leaves one out.
func (p *packer) structure(v reflect.Value) error {
	at := len(p.tokens)
	p.container(C.CHIEF_TOKEN_MAP, 0)
	for i := 0; i < v.NumField(); i++ {
		name := fieldName(v.Type().Field(i))
		if name == "" {
			continue
		}
		p.tokens[at].len++
		p.text(name)
		if err := p.deeper("."+name, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func fieldName(field reflect.StructField) string {
	tag := field.Tag.Get("chief")
	switch {
	case !field.IsExported() || tag == "-":
		return ""
	case tag != "":
		return tag
	}
	return field.Name
}

// Pack makes the message that a value is sent as: MessagePack. A nil interface, a bool, numbers, strings (text), bytes, slices,
// maps, structs and pointers to those can be sent.
func Pack(v any) ([]byte, error) {
	var p packer
	if err := p.put(v); err != nil {
		return nil, err
	}
	buf := make([]byte, 9*len(p.tokens)+len(p.texts))
	var n C.size_t
	texts := (*C.char)(pointer(p.texts))
	err := call(func() C.int {
		return C.chief_go_pack(&p.tokens[0], C.size_t(len(p.tokens)), texts, pointer(buf), C.size_t(len(buf)), &n)
	})
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

func packArgs(args any) ([]byte, error) {
	if args == nil {
		return nil, nil
	}
	return Pack(args)
}
