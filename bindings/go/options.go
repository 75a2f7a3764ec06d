package chief

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// Options are those of a chief; what is zero is the default, and Zero says zero.
type Options struct {
	Name             string        // of the application; default "chief"
	RequireNames     bool          // no worker is enabled by default
	ForceStopTimeout time.Duration // the whole stop; default 45 s
	InitTimeout      time.Duration // default 30 s
	HookTimeout      time.Duration // all hooks of OnShutdown together; default 5 s
	ForceTime        time.Duration // what an interrupted worker has to end in; default 100 ms
	Seed             uint64        // of the jitter; default: from the system
	EventCapacity    int           // default 1024
	EventLevel       Level         // the least level of the events that are kept; default all
	ExitWhenDone     bool          // end when nothing runs and nothing is scheduled
	Log              *Log          // default: text to stderr
	ThreadStack      int           // bytes, of a Lua worker's thread; default 1 MiB
	FiberThreads     int           // default: one per core
	MaxRestarts      int           // of all together within RestartWindow; below 0: none; default: no limit
	RestartWindow    time.Duration // default 60 s
	Info             Info          // Version, Build and Tag are looked at
}

// Info is what an application says of itself.
type Info struct {
	Name, Version, Build, Tag string
	PID                       int
	Started                   time.Time // the zero time before InitWorkers
}

func (o Options) in(a *arena) *C.chief_options {
	c := (*C.chief_options)(a.alloc(C.sizeof_chief_options))
	c.size = C.sizeof_chief_options
	c.require_names = flag(o.RequireNames)
	c.name = a.text(o.Name)
	c.force_stop_timeout = milliseconds(o.ForceStopTimeout)
	c.init_timeout = milliseconds(o.InitTimeout)
	c.hook_timeout = milliseconds(o.HookTimeout)
	c.seed = C.uint64_t(o.Seed)
	c.event_capacity = C.uint32_t(o.EventCapacity)
	c.exit_when_done = flag(o.ExitWhenDone)
	if o.Log != nil {
		c.log = o.Log.c
	}
	c.thread_stack = C.size_t(o.ThreadStack)
	c.force_time = milliseconds(o.ForceTime)
	c.event_level = C.int32_t(o.EventLevel)
	c.fiber_threads = C.uint32_t(o.FiberThreads)
	c.max_restarts = count(int64(o.MaxRestarts))
	c.restart_window = milliseconds(o.RestartWindow)
	if o.Info != (Info{}) {
		info := (*C.chief_app_info)(a.alloc(C.sizeof_chief_app_info))
		info.size = C.sizeof_chief_app_info
		info.version, info.build, info.tag = a.text(o.Info.Version), a.text(o.Info.Build), a.text(o.Info.Tag)
		c.info = info
	}
	return c
}

// RestartPolicy is when a worker that has ended is started again.
type RestartPolicy int32

// When a worker that has ended is started again.
const (
	RestartDefault   RestartPolicy = C.CHIEF_RESTART_DEFAULT // as its RestartOnFail says
	RestartNever     RestartPolicy = C.CHIEF_RESTART_NEVER
	RestartOnFailure RestartPolicy = C.CHIEF_RESTART_ON_FAILURE
	RestartAlways    RestartPolicy = C.CHIEF_RESTART_ALWAYS
)

// Restart is a restart policy: the delay before the k-th restart in a row is Delay·Factor^(k-1), give or take Jitter, and
// MaxDelay at most. A worker that fails more than MaxRestarts times within Window is given up.
type Restart struct {
	Policy       RestartPolicy
	Delay        time.Duration // default 100 ms
	Factor       float64       // default 2
	MaxDelay     time.Duration // default 30 s
	Jitter       float64       // a share, default 0.2; below 0: none
	MaxRestarts  int           // below 0: given up at the first failure; default: no limit
	Window       time.Duration // default 30 s
	IsolateAfter int           // failures by force, after which a Lua worker is led in a process; 0: never
}

func (r Restart) in(a *arena) *C.chief_restart {
	c := (*C.chief_restart)(a.alloc(C.sizeof_chief_restart))
	c.size = C.sizeof_chief_restart
	c.policy = C.int32_t(r.Policy)
	c.delay = milliseconds(r.Delay)
	c.factor = C.double(r.Factor)
	c.max_delay = milliseconds(r.MaxDelay)
	c.jitter = C.double(r.Jitter)
	c.max_restarts = count(int64(r.MaxRestarts))
	c.window = milliseconds(r.Window)
	c.isolate_after = C.int64_t(r.IsolateAfter)
	return c
}

// Isolation is where a worker in Lua runs; one in Go is always a goroutine.
type Isolation int32

// Where a worker in Lua runs.
const (
	IsolationDefault Isolation = C.CHIEF_ISOLATION_DEFAULT
	Thread           Isolation = C.CHIEF_THREAD
	Fiber            Isolation = C.CHIEF_FIBER
	Process          Isolation = C.CHIEF_PROCESS
)

// WorkerOptions are the keys of a worker in an app file; what is zero is the default, and Zero says zero.
type WorkerOptions struct {
	Restart         Restart
	After           []string // workers that must be ready before
	Sends, Receives []string // channels, for checks and warnings
	Args            any      // what Context.Args gives; in Lua ctx.args
	Grace           time.Duration
	StartTimeout    time.Duration // until it must be ready; default 30 s
	SaysReady       bool          // ready when it calls Ready, not when it runs
	Critical        bool          // when it is given up the application stops
	Mailbox         int           // messages; default 1024
	Count           int           // replicas
	NoRestartCodes  []int         // exit codes with which it is given up at once
	Every           time.Duration // Run is called again and again, at these times:
	Later           bool          // with Every: first after that time, not at once
	Cron            string        // instead of Every, "30 2 * * *"
	TZ              string        // of Cron; default: the system's
	// OnExit decides what follows when the worker has ended and nobody had asked it to; nil: Restart alone. It has
	// OnExitTimeout (default 1 s) to answer in, and may not wait for the chief.
	OnExit        func(Exit) Answer
	OnExitTimeout time.Duration
}

func (o WorkerOptions) in(a *arena, args []byte) *C.chief_worker_options {
	c := (*C.chief_worker_options)(a.alloc(C.sizeof_chief_worker_options))
	c.size = C.sizeof_chief_worker_options
	if o.SaysReady {
		c.flags |= C.CHIEF_WORKER_SAYS_READY
	}
	if o.Critical {
		c.flags |= C.CHIEF_WORKER_CRITICAL
	}
	c.restart = o.Restart.in(a)
	c.after, c.n_after = a.names(o.After)
	c.sends, c.n_sends = a.names(o.Sends)
	c.receives, c.n_receives = a.names(o.Receives)
	c.args = a.bytes(args)
	c.grace = milliseconds(o.Grace)
	c.start_timeout = milliseconds(o.StartTimeout)
	c.mailbox_capacity = C.uint32_t(o.Mailbox)
	c.count = C.uint32_t(o.Count)
	c.no_restart_codes, c.n_no_restart_codes = a.numbers(o.NoRestartCodes)
	if o.Every != 0 || o.Cron != "" {
		c.schedule = o.schedule(a)
	}
	if o.OnExit != nil {
		c.policy = o.policy(a)
	}
	return c
}

func (o WorkerOptions) schedule(a *arena) *C.chief_schedule {
	c := (*C.chief_schedule)(a.alloc(C.sizeof_chief_schedule))
	c.size = C.sizeof_chief_schedule
	c.later = flag(o.Later)
	c.every = milliseconds(o.Every)
	c.cron = a.text(o.Cron)
	c.tz = a.text(o.TZ)
	return c
}

func (a *arena) numbers(list []int) (*C.int32_t, C.size_t) {
	if len(list) == 0 {
		return nil, 0
	}
	block := (*C.int32_t)(a.alloc(uintptr(len(list)) * unsafe.Sizeof(C.int32_t(0))))
	numbers := unsafe.Slice(block, len(list))
	for i, n := range list {
		numbers[i] = C.int32_t(n)
	}
	return block, C.size_t(len(list))
}

// ProcessOptions say how the child of a Lua worker in a process is started. In a limit 0 is the chief's own, and below 0 none.
type ProcessOptions struct {
	Argv        []string // default: chief-lua-worker
	Env         []string // "NAME=value", beside and before the chief's own
	Dir         string   // the folder it starts in
	User, Group string
	Umask       int
	Memory      int64         // bytes of address space
	CPU         time.Duration // processor time, in whole seconds
	Files       int64         // open descriptors
	FileSize    int64         // bytes of a file it writes
	Processes   int64         // of its user
	Core        int64         // bytes of a core dump
	Spec        []byte        // of AddProcess: what its child is told to run
}

func (o ProcessOptions) in(a *arena) *C.chief_process {
	c := (*C.chief_process)(a.alloc(C.sizeof_chief_process))
	c.size = C.sizeof_chief_process
	c.argv, c.n_argv = a.names(o.Argv)
	c.spec = a.bytes(o.Spec)
	c.env, c.n_env = a.names(o.Env)
	c.cwd, c.user, c.group = a.text(o.Dir), a.text(o.User), a.text(o.Group)
	c.umask = count(int64(o.Umask))
	c.memory = count(o.Memory)
	c.cpu = count(int64(o.CPU / time.Second))
	c.files = count(o.Files)
	c.file_size = count(o.FileSize)
	c.processes = count(o.Processes)
	c.core = count(o.Core)
	return c
}

// LuaOptions are those of a worker in Lua.
type LuaOptions struct {
	WorkerOptions
	Path           string // package.path of its state; default Lua's own
	CPath          string // package.cpath
	Isolation      Isolation
	Process        ProcessOptions // with Isolation: Process
	MemoryLimit    uint64         // bytes that its state may have alive
	Watchdog       time.Duration  // how long it may be without a call of the chief's
	EagerLibraries bool
}

func (o LuaOptions) in(a *arena, worker *C.chief_worker_options) *C.chief_lua_options {
	c := (*C.chief_lua_options)(a.alloc(C.sizeof_chief_lua_options))
	c.size = C.sizeof_chief_lua_options
	c.path = a.text(o.Path)
	c.cpath = a.text(o.CPath)
	worker.isolation = C.int32_t(o.Isolation)
	c.worker = worker
	c.process = o.Process.in(a)
	if o.Restart.IsolateAfter > 0 {
		worker.process = c.process
	}
	c.memory_limit = C.uint64_t(o.MemoryLimit)
	c.watchdog = milliseconds(o.Watchdog)
	c.eager_libraries = C.uint32_t(flag(o.EagerLibraries))
	return c
}
