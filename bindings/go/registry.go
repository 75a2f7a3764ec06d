package chief

import "sync"

// registry keeps what C refers to: C holds a number, and no pointer of Go's.
type registry struct {
	mu      sync.RWMutex
	last    uintptr
	objects map[uintptr]any
}

var objects = registry{objects: map[uintptr]any{}}

func (r *registry) keep(object any) uintptr {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.objects[r.last] = object
	return r.last
}

// get returns nil for a number that is none, or was forgotten.
func (r *registry) get(number uintptr) any {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.objects[number]
}

func (r *registry) forget(number uintptr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.objects, number)
}

func (r *registry) len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.objects)
}
