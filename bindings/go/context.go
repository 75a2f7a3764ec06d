package chief

// #include "shim.h"
import "C"

import (
	"context"
	"sync"
)

// GetContext is the chief's context: done when it has ended, with the values of AddValueToContext.
func (c *Chief) GetContext() context.Context {
	return c.context(&c.whole, func(p *C.chief) *C.chief_context { return C.chief_get_context(p) })
}

// StopContext is done, with the reason, from the moment the chief begins to stop.
func (c *Chief) StopContext() context.Context {
	return c.context(&c.stop, func(p *C.chief) *C.chief_context { return C.chief_get_stop_context(p) })
}

// context is kept for the next who asks, and ends with the chief.
func (c *Chief) context(kept **node, get func(p *C.chief) *C.chief_context) context.Context {
	p, err := c.enter()
	if err == nil {
		defer c.leave()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case *kept != nil:
	case err != nil:
		done, cancel := context.WithCancel(context.Background())
		cancel()
		return done
	default:
		*kept = newNode(C.chief_context_ref(get(p)), c.behind)
	}
	return *kept
}

// AddValueToContext sets a value that the workers see under the key, at any time: nil, a bool, an integer, a float, a string or
// bytes in every worker, in Lua too, where the key is a string or a CtxKey; anything else in those in Go.
func (c *Chief) AddValueToContext(key, value any) error {
	p, err := c.enter()
	if err != nil {
		return err
	}
	defer c.leave()
	text, ok := contextName(key)
	if !ok {
		c.values.Store(key, value)
		return nil
	}
	var a arena
	defer a.free()
	name := a.name(text)
	return setValue(value, func(v *C.chief_value) C.int { return C.chief_add_value(p, name, v) })
}

// behind is what is seen behind the chief's own context: values with keys of Go, then what Launch was given.
func (c *Chief) behind() context.Context {
	outer := c.parent()
	if outer == nil {
		outer = context.Background()
	}
	return valued{outer, &c.values}
}

type valued struct {
	context.Context
	values *sync.Map
}

func (v valued) Value(key any) any {
	if value, ok := v.values.Load(key); ok {
		return value
	}
	return v.Context.Value(key)
}

// parent is the context that Launch was given; nil before that.
func (c *Chief) parent() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outer
}

func (c *Chief) logger() Logger {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log
}
