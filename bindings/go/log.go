package chief

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Level is how much a record or an event matters.
type Level int32

// How much a record or an event matters.
const (
	LevelDebug Level = C.CHIEF_DEBUG
	LevelInfo  Level = C.CHIEF_INFO
	LevelWarn  Level = C.CHIEF_WARN
	LevelError Level = C.CHIEF_ERROR
	LevelOff   Level = C.CHIEF_OFF
)

var levels = map[Level]string{LevelDebug: "debug", LevelInfo: "info", LevelWarn: "warn", LevelError: "error", LevelOff: "off"}

func (l Level) String() string { return levels[l] }

// Logger is what InitWorkers takes: a *Log, or a logger of another package that has these methods.
type Logger interface {
	Debug(args ...any)
	Info(args ...any)
	Warn(args ...any)
	Error(args ...any)
}

// Field is one field of a log record.
type Field struct {
	Key   string
	Value any
}

// Record is one log record as a Sink gets it.
type Record struct {
	Level   Level
	Time    time.Time
	Message string
	Fields  []Field
}

// LogOptions say what is written, and where.
type LogOptions struct {
	Level Level        // the least that is written; default LevelInfo
	JSON  bool         // on stderr one JSON object for each record, instead of text
	Sink  func(Record) // instead of stderr; called by several goroutines at once
}

// Log is a logger: the chief's, or one that is given to it. It may be used by any number of goroutines.
type Log struct{ c *C.chief_log }

func ownLog(c *C.chief_log) *Log {
	l := &Log{c}
	runtime.SetFinalizer(l, func(l *Log) { C.chief_log_unref(l.c) })
	return l
}

// NewLog makes a logger.
func NewLog(options ...LogOptions) (*Log, error) {
	var a arena
	defer a.free()
	o := first(options)
	c := (*C.chief_log_options)(a.alloc(C.sizeof_chief_log_options))
	c.size = C.sizeof_chief_log_options
	c.level = C.int32_t(o.Level)
	if o.JSON {
		c.format = C.CHIEF_LOG_JSON
	}
	var number uintptr
	if o.Sink != nil {
		number = objects.keep(o.Sink)
		C.chief_go_set_sink(c, C.uintptr_t(number))
	}
	var made *C.chief_log
	if err := call(func() C.int { return C.chief_log_new(&made, c) }); err != nil {
		objects.forget(number)
		return nil, err
	}
	return ownLog(made), nil
}

// logOf is a Log for any Logger, which then gets the records as text.
func logOf(logger Logger) (*Log, error) {
	if l, ok := logger.(*Log); ok {
		return l, nil
	}
	return NewLog(LogOptions{Level: LevelDebug, Sink: func(r Record) {
		text := r.Message
		for _, f := range r.Fields {
			text += fmt.Sprintf(" %s=%v", f.Key, f.Value)
		}
		write := map[Level]func(...any){LevelDebug: logger.Debug, LevelWarn: logger.Warn, LevelError: logger.Error}[r.Level]
		if write == nil {
			write = logger.Info
		}
		write(text)
	}})
}

//export goSink
func goSink(number C.uintptr_t, c *C.chief_record) {
	defer func() { _ = recover() }()
	sink, ok := objects.get(uintptr(number)).(func(Record))
	if !ok {
		return
	}
	r := Record{Level: Level(c.level), Time: time.UnixMilli(int64(c.time_ms)), Message: C.GoString(c.message)}
	fields := unsafe.Slice(c.fields, int(c.n_fields))
	for i := range fields {
		f := &fields[i] // not copied: a value may be a pointer that is none
		r.Fields = append(r.Fields, Field{C.GoString(f.key), fieldValue(&f.value)})
	}
	sink(r)
}

func (a *arena) fields(pairs []any) (*C.chief_field, C.size_t) {
	n := (len(pairs) + 1) / 2
	if n == 0 {
		return nil, 0
	}
	block := (*C.chief_field)(a.alloc(uintptr(n) * C.sizeof_chief_field))
	for i, field := range unsafe.Slice(block, n) {
		field.key = a.name(fmt.Sprint(pairs[2*i]))
		if 2*i+1 < len(pairs) {
			field.value = a.value(pairs[2*i+1])
		}
		unsafe.Slice(block, n)[i] = field
	}
	return block, C.size_t(n)
}

// With is a logger with these fields more: keys and values in turn.
func (l *Log) With(pairs ...any) (*Log, error) {
	var a arena
	defer a.free()
	defer runtime.KeepAlive(l)
	fields, n := a.fields(pairs)
	var made *C.chief_log
	if err := call(func() C.int { return C.chief_log_with_fields(&made, l.c, fields, n) }); err != nil {
		return nil, err
	}
	return ownLog(made), nil
}

// SetLevel sets the least level that is written, for all loggers made from the same one.
func (l *Log) SetLevel(level Level) error {
	defer runtime.KeepAlive(l)
	return call(func() C.int { return C.chief_log_set_level(l.c, C.int32_t(level)) })
}

// Write writes one record; pairs are keys and values in turn.
func (l *Log) Write(level Level, message string, pairs ...any) {
	var a arena
	defer a.free()
	fields, n := a.fields(pairs)
	C.chief_log_write(l.c, C.int32_t(level), a.name(message), fields, n)
	runtime.KeepAlive(l)
}

// Debug writes one record.
func (l *Log) Debug(args ...any) { l.Write(LevelDebug, fmt.Sprint(args...)) }

// Info writes one record.
func (l *Log) Info(args ...any) { l.Write(LevelInfo, fmt.Sprint(args...)) }

// Warn writes one record.
func (l *Log) Warn(args ...any) { l.Write(LevelWarn, fmt.Sprint(args...)) }

// Error writes one record.
func (l *Log) Error(args ...any) { l.Write(LevelError, fmt.Sprint(args...)) }

// Log is the worker's logger, with its name in the field "worker".
func (c *Context) Log() *Log { return c.log }
