---@meta chief.chief
-- luacheck: ignore 212
-- What the calls of `require "chief"` take and return, for editors. Nothing here is run.

---@alias chief.State "null"|"disabled"|"present"|"enabled"|"initialized"|"run"|"stopped"|"failed"
---@alias chief.Phase "idle"|"waiting"|"starting"|"up"|"stopping"|"abandoned"|"given_up"
---@alias chief.Policy "never"|"on_failure"|"always"
---@alias chief.Level "debug"|"info"|"warn"|"error"|"off"

---@alias chief.Reason
---| "ok" # it returned
---| "error" # it returned nil and a message
---| "lua_error" # it raised
---| "init_error" # its init failed
---| "start_timeout" # it was not ready in time
---| "watchdog" # it made no call of the chief's for as long as its watchdog lets it
---| "memory_limit" # it had more alive than its memory_limit
---| "killed" # it did not end within its grace
---| "cancelled" # it gave up because it was asked to stop

---@alias chief.EventKind
---| "state" # worker, previous, state; reason, error and traceback when it ended
---| "wrong_state_change" # worker, previous (as it stays), state (what was asked)
---| "ready" # worker
---| "restart" # worker: a restart in `delay` seconds
---| "given_up" # worker, error: why, and the last failure
---| "forced" # worker, reason, error (why): it is interrupted, and has `force_time` to end in
---| "abandoned" # worker: its thread did not end in time
---| "removed" # worker
---| "message_dropped" # channel, worker
---| "note" # error: what is odd
---| "signal" # error: its name
---| "stopping" # error: why
---| "hook_timeout"
---| "stopped" # the last one

---@class chief.Event
---@field kind chief.EventKind
---@field seq integer 1, 2, 3 …: a gap is what the ring dropped, or what was below the event level
---@field time number seconds on the monotonic clock
---@field level chief.Level
---@field generation integer which life of the worker
---@field worker string?
---@field state chief.State?
---@field previous chief.State?
---@field reason chief.Reason?
---@field error string?
---@field traceback string?
---@field delay number? seconds
---@field channel string?

---@class chief.Status
---@field name string
---@field state chief.State
---@field phase chief.Phase
---@field generation integer 0: never started
---@field restarts integer by policy
---@field remaining number? seconds left of a wait or a stop
---@field waiting_for string? "restart", or the workers it waits for
---@field slow true? a fiber that blocks or runs for long, and keeps a thread of its own meanwhile
---@field reason chief.Reason? of the last life that ended
---@field error string? of the last failure, also after the restart
---@field traceback string?
---@field why string? given up: why it is not restarted

---@class chief.LogOptions
---@field level chief.Level? the least that is written; "info"
---@field format "text"|"json"|nil "text"

---@class chief.AppInfo what an application says of itself
---@field version string? "1.2.3"
---@field build string? what it was built from
---@field tag string? what tells this one from others

---@class chief.Options
---@field name string? of the application; "chief"
---@field force_stop_timeout number? seconds for a whole stop; 45. 0: force at once
---@field init_timeout number? seconds for the first inits; 30
---@field hook_timeout number? seconds for all shutdown hooks together; 5
---@field force_time number? seconds an interrupted worker has to end in before it is abandoned; 0.1
---@field require_names boolean? run only workers that were enabled by name
---@field restart_budget chief.Budget? of all workers together; spent, the application stops with exit code 70
---@field exit_when_done boolean? end when nothing runs and nothing is scheduled
---@field seed integer? of the jitter
---@field fiber_threads integer? that all fibers share; one per core
---@field event_capacity integer? how many events are kept for who reads late; 1024
---@field event_level chief.Level? the least level that is kept; "debug", all of them
---@field log chief.LogOptions|chief.core.Log|nil
---@field info chief.AppInfo?

---@class chief.Budget
---@field max_restarts integer after failures; one more within the window is one too many
---@field window number? seconds; 60

---@alias chief.GroupPolicy
---| "one_for_one" # nobody is restarted along with one that failed
---| "one_for_all" # all others of the group
---| "rest_for_one" # those after it in the list

---@class chief.GroupOptions
---@field policy chief.GroupPolicy
---@field workers string[] in the order in which they are started again

---@class chief.Restart the k-th delay in a row is min(max_delay, delay * factor^(k-1)), give or take the jitter
---@field policy chief.Policy? "on_failure"
---@field delay number? seconds; 0.1
---@field factor number? 2
---@field max_delay number? seconds; 30
---@field jitter number? a share; 0.2
---@field max_restarts integer? given up when it fails more often than that within the window; nothing: never
---@field window number? seconds; 30
---@field isolate_after integer? failures by force (watchdog, memory limit, interrupt) after which it has a process

---@class chief.ProcessOptions the process of a worker; as a limit, 0 allows none at all
---@field cwd string? the folder it starts in
---@field env table<string, string>? variables beside and before this program's own
---@field user string? whom it becomes, a name or a number
---@field group string? nothing: that of `user`
---@field umask string|nil as chmod takes it, such as "027"
---@field memory integer|string|nil bytes of address space, or a size such as "512MB"
---@field cpu integer? seconds of processor time
---@field files integer? open descriptors
---@field file_size integer|string|nil bytes of a file that it writes
---@field processes integer? of its user
---@field core integer|string|nil bytes of a core dump

---@class chief.End how a generation of a worker ended
---@field reason string
---@field generation integer
---@field code integer? an exit code
---@field ago number seconds before the last one
---@field up number seconds for which it had been ready

---@class chief.History what on_exit is told: the ends it was asked about, the last one last
---@field [integer] chief.End
---@field worker string
---@field error string?
---@field failures integer in a row; 0: it ended cleanly
---@field restarts integer so far

---@alias chief.OnExit fun(reason: string, history: chief.History): "restart"|"give_up"|"isolate"|number

---@class chief.WorkerOptions
---@field args any what ctx.args is
---@field after string[]? workers that must be ready before, and are stopped after
---@field sends string[]? channels it sends to, for checks and warnings
---@field receives string[]? channels it receives from
---@field restart chief.Policy|chief.Restart|nil nothing: what the module's restart_on_fail says, else never
---@field ready "explicit"|nil ready when it calls ctx:ready(), not when run is entered
---@field isolation "thread"|"fiber"|"process"|nil where it runs; a few threads are shared by all fibers
---@field process chief.ProcessOptions? how that is started
---@field every number? runs again and again, so many seconds apart; or:
---@field first "now"|"later"|nil whether the first run of `every` comes at once ("now") or after that time
---@field cron string? runs at these times: five fields, or @hourly, @daily, @weekly, @monthly, @yearly
---@field tz string? where `cron` is meant: a time zone's name, "UTC", or a POSIX rule; nothing: the system's
---@field grace number? seconds to end in when asked to stop
---@field start_timeout number? seconds until it must be ready; 30
---@field count integer? how many of it run at once; 2 makes the workers `name/1` and `name/2`, and `name` means both
---@field libraries ("lazy"|"eager")? whether Lua's libraries fill themselves at first use ("lazy", the default), which
---only `next` and `rawget` of one that was never used can see, or are full from the start
---@field memory_limit integer|string|false|nil bytes, or a size such as "64MB", that its state may have alive; over it
---even after a full collection the worker fails, whatever it catches. false: none, where the application sets one
---@field watchdog number|false|nil seconds that it may be without a call of the chief's; waiting in one does not count
---@field critical boolean? when it is given up the application stops, with exit code 70
---@field on_exit chief.OnExit|string|nil what decides after an end, or its name, "module.function"
---@field no_restart_codes integer[]? 1 to 255: given up at once when it ends so (os.exit in a worker, or its process)

---@class chief.ChannelOptions
---@field capacity integer? messages; 64
---@field overflow "block"|"drop_oldest"|"fail"|nil "block"
---@field delivery "at_most_once"|"at_least_once"|nil "at_most_once"
---@field max_deliveries integer? 5; 0: no limit
---@field dead string? the channel where a message goes after max_deliveries
---@field max_message integer? bytes; 16 MiB

---@class chief.AppEntry: chief.WorkerOptions a worker in an app file
---@field name string? in the list form
---@field module string|function|nil what runs
---@field native string? or a C plug-in
---@field app string? or the app file of an application that is a worker here

---@class chief.Job: chief.WorkerOptions what chief.job takes
---@field every number
---@field run string|function a module's name, or a function that captures nothing

---@class chief.Cron: chief.WorkerOptions what chief.cron takes
---@field cron string
---@field run string|function

---@class chief.AppFile what an app file returns
---@field name string?
---@field workers table<string, chief.AppEntry>|chief.AppEntry[]
---@field channels table<string, chief.ChannelOptions>?
---@field groups table<string, chief.GroupOptions>?
---@field isolation "thread"|"fiber"|"process"|nil of each worker that says nothing else; "thread"
---@field restart_budget chief.Budget?
---@field force_stop_timeout number?
---@field init_timeout number?
---@field hook_timeout number?
---@field force_time number?
---@field fiber_threads integer? that all fibers share; one per core
---@field libraries ("lazy"|"eager")? of each worker in Lua that says nothing else
---@field memory_limit integer|string|false|nil likewise
---@field watchdog number|false|nil likewise
---@field keep boolean? stay when nothing is left to run
---@field require_names boolean?
---@field log chief.LogOptions?
---@field info chief.AppInfo?
---@field on_shutdown function? runs after the last worker has stopped

---@class chief.SimulationOptions
---@field seed integer? of the jitter; 1
---@field workers string[]? those that run, as `chief run APP WORKER…`; none: as the app says
---@field modules table<string, { restart_on_fail: boolean?, ready: boolean? }>? what modules, which are not loaded, say

-- The methods that are chief.core's as they are. Each answers nil, a message and a code when it cannot.

---@class chief.Chief
local Chief = {}

---A channel of this chief, for the program to send to and receive from.
---@param name string
---@return chief.core.Channel? channel
---@return string? message
---@return string? code
function Chief:channel(name) end

---Enables one worker. By default all are enabled; after the first call of this kind only those named.
---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Chief:enable_worker(name) end

---@param name string
---@return boolean
function Chief:is_enabled(name) end

---Ends the graceful part of a stop: what still runs is forced now.
---@return true? ok
---@return string? message
---@return string? code
function Chief:force_stop() end

---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Chief:start_worker(name) end

---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Chief:stop_worker(name) end

---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Chief:restart_worker(name) end

---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Chief:remove_worker(name) end

---Waits until every enabled worker is ready; a finished one counts.
---@param timeout number?
---@return true? ok
---@return string? message
---@return string? code
function Chief:wait_ready(timeout) end

---The states as JSON.
---@return string
function Chief:states_json() end

---What the application says of itself; pid and started (seconds since 1970) from init_workers on.
---@return { name: string, version: string?, build: string?, tag: string?, pid: integer?, started: number? }
function Chief:info() end

---Where a worker is now, without disturbing it: a line («in Lua, at x.lua:7», «in ctx:recv, called from x.lua:7», «in C
---(find), called from x.lua:7»), then its traceback. Also of an abandoned one.
---@param name string
---@return string? text
---@return string? message
---@return string? code "would_block" for one that does not run, "not_supported" for one in C
function Chief:traceback(name) end

---The chief's context; it holds the logger under "chief-log".
---@return chief.core.Context
function Chief:context() end

---Sets a value in the chief's context, at any time; running workers see it.
---@param key string
---@param value nil|boolean|number|string
---@return true? ok
---@return string? message
---@return string? code
function Chief:add_value(key, value) end

---How a program that ran this chief should exit: 0, 1 or 75.
---@return integer
function Chief:exit_code() end

---Sends to a worker's mailbox.
---@param name string
---@param value any
---@param timeout number?
---@return true? ok
---@return string? message
---@return string? code
function Chief:send(name, value, timeout) end

---Asks a worker and waits for its answer.
---@param name string
---@param value any
---@param timeout number?
---@return any answer
---@return string? message
---@return string? code
function Chief:call(name, value, timeout) end

---Sends to every worker, without waiting; how many took it.
---@param value any
---@return integer? reached
---@return string? message
---@return string? code
function Chief:broadcast(value) end

---Takes between 1 and `max` events, the oldest first.
---@param max integer?
---@param timeout number?
---@return chief.Event[]? events
---@return string? message
---@return string? code "closed" after the last one
function Chief:take_events(max, timeout) end

---How many events were lost because nobody read them.
---@return integer
function Chief:events_dropped() end

---How many answers to calls came late and were dropped: their caller had gone, or they had been answered before.
---@return integer
function Chief:late_replies() end

---A descriptor that is readable while events wait.
---@return integer? fd
---@return string? message
---@return string? code
function Chief:events_fd() end

---@return boolean
function Chief:has_stopped() end

---Which signals the chief takes while it lives: stop (TERM and INT), hup (logged), usr2 (the states go into the log);
---last: for a program that ends with it, they are ignored from then on.
---@param which { stop: boolean?, hup: boolean?, usr2: boolean?, last: boolean? }
---@return true? ok
---@return string? message
---@return string? code
function Chief:catch_signals(which) end

---Stops what still runs and frees the chief.
function Chief:close() end

return Chief
