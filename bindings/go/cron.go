package chief

// #include "shim.h"
import "C"

import (
	"runtime"
	"time"
)

// Zone is a time zone as WorkerOptions.TZ names it: of the system's database, "UTC", or a POSIX rule.
type Zone struct{ c *C.chief_zone }

// NewZone is the zone of that name; "" is the system's own.
func NewZone(name string) (*Zone, error) {
	var a arena
	defer a.free()
	text := a.text(name)
	z := &Zone{}
	if err := call(func() C.int { return C.chief_zone_new(&z.c, text) }); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(z, func(z *Zone) { C.chief_zone_free(z.c) })
	return z, nil
}

func (z *Zone) pointer() *C.chief_zone {
	if z == nil {
		return nil
	}
	return z.c
}

// Text is a time as it is shown there, "2026-03-29T03:00:00+02:00"; of a nil zone in UTC.
func (z *Zone) Text(t time.Time) string {
	defer runtime.KeepAlive(z)
	return text(func(buf *C.char, size C.size_t) C.size_t {
		return C.chief_zone_text(z.pointer(), C.int64_t(t.UnixMilli()), buf, size)
	})
}

// Cron is a cron expression that was read.
type Cron struct{ c C.chief_cron }

// ParseCron reads minute, hour, day of month, month and day of week, or @hourly, @daily …
func ParseCron(expression string) (*Cron, error) {
	var a arena
	defer a.free()
	text := a.name(expression)
	cron := &Cron{}
	cron.c.size = C.sizeof_chief_cron
	if err := call(func() C.int { return C.chief_cron_parse(text, &cron.c) }); err != nil {
		return nil, err
	}
	return cron, nil
}

// Next is the first time after t that the expression names in the zone; nil is UTC.
func (cron *Cron) Next(t time.Time, zone *Zone) (time.Time, error) {
	defer runtime.KeepAlive(zone)
	var next C.int64_t
	err := call(func() C.int {
		return C.chief_cron_next(&cron.c, zone.pointer(), C.int64_t(t.UnixMilli()), &next)
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(next)), nil
}
