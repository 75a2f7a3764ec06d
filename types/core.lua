---@meta chief.core
-- luacheck: ignore 212 241 631
-- The C module chief.core and what a worker's module is given, for editors. Nothing here is run.
--
-- What can be expected to fail answers `nil, message, code`; the code is one word. What is wrong in the program is raised.
-- Times are seconds; a timeout that is nil waits for ever, 0 does not wait.

---@alias chief.Code
---| "invalid" | "no_memory" | "not_found" | "exists" | "busy" | "invalid_state" | "not_initialized" | "timeout"
---| "cancelled" | "closed" | "would_block" | "full" | "too_big" | "no_reply" | "call_failed" | "failed" | "cycle"
---| "deadlock" | "forked" | "system" | "not_supported" | "bad_data" | "not_enabled" | "wrong_state_change"

---What a message can be: nil, functions, coroutines, userdata and cycles are refused with their path.
---@alias chief.Value boolean|integer|number|string|table

---@alias chief.ContextValue boolean|integer|number|string|chief.core.Log|nil

---What a worker is made from and how it is run, checked by the Lua layer.
---@class chief.core.Spec
---@field module string? name of the module, as for require; or:
---@field chunk string? a function as string.dump makes it, see function_spec; or:
---@field native string? path of a C plug-in
---@field chunkname string?
---@field path string? package.path of its state; absent: that of this state
---@field cpath string?
---@field args chief.Value?
---@field restart chief.Policy|table|nil { policy, delay, factor, max_delay, jitter, max_restarts, window }
---@field after string[]?
---@field sends string[]?
---@field receives string[]?
---@field every number?
---@field first "now"|"later"|nil
---@field cron string?
---@field tz string?
---@field grace number?
---@field start_timeout number?
---@field ready "explicit"|"run"|nil
---@field mailbox_capacity integer?
---@field count integer? replicas
---@field libraries ("lazy"|"eager")? when Lua's libraries are filled
---@field isolation "thread"|"process"|nil
---@field process table? { cwd, env, user, group, umask, memory, cpu, files, file_size, processes, core }; env a list
---@field program string[]? the command that hosts it in a process; absent: the program beside the library
---@field memory_limit integer? bytes that its state may have alive
---@field watchdog number? seconds that it may be without a call of the chief's

---@class chief.core.Findings
---@field run boolean
---@field init boolean
---@field restart_on_fail boolean
---@field ready boolean
---@field file string?

---@class chief.core
---@field version string
---@field abi integer
---@field state chief.core.state
---@field null lightuserdata JSON's null
local core = {}

---Marks a table as a map: `core.map{}` is sent as an empty map, where `{}` is an empty array.
---@param t table?
---@return table t
function core.map(t) end

---A value as MessagePack. Raises for what cannot be sent.
---@param value chief.Value
---@return string
function core.pack(value) end

---@param bytes string
---@return chief.Value? value
---@return string? message
---@return chief.Code? code
function core.unpack(bytes) end

---@param value any
---@return string
function core.json_encode(value) end

---@param text string
---@return any value
---@return string? message
---@return chief.Code? code
function core.json_decode(text) end

---The worker-exists rule over these names.
---@param names string[]
---@param message string?
---@return chief.core.Rule
function core.rule(names, message) end

---A context: below the parent, and done by itself after the timeout.
---@param parent chief.core.Context?
---@param timeout number?
---@return chief.core.Context
function core.context(parent, timeout) end

---The next times of a cron expression.
---@param cron string
---@param tz string? a time zone; nil: the system's
---@param from number? seconds since 1970; nil: now
---@param n integer? 5
---@return { time: integer, text: string }[]? times
---@return string? message
---@return chief.Code? code
function core.cron_times(cron, tz, from, n) end

---A logger to stderr.
---@param options { level: chief.Level?, format: "text"|"json"|nil }?
---@return chief.core.Log
function core.log(options) end

---A channel outside any chief.
---@param name string
---@param options chief.ChannelOptions?
---@return chief.core.Channel? channel
---@return string? message
---@return chief.Code? code
function core.channel(name, options) end

---A pool without a chief: workers are functions that run in this state.
---@return chief.core.Pool
function core.pool() end

---@param options table? name, require_names, force_stop_timeout, init_timeout, hook_timeout, force_time, fiber_threads, seed, event_capacity, event_level, info, exit_when_done, log
---@return chief.core.Chief? chief
---@return string? message
---@return chief.Code? code
function core.chief(options) end

---A chief that runs nothing, for tests of policies; see chief.simulate.
---@param options table? as core.chief's
---@return chief.core.Simulation? simulation
---@return string? message
---@return chief.Code? code
function core.simulation(options) end

---Loads the module in a state of its own and tells what it has, or what is wrong with it.
---@param spec chief.core.Spec
---@return chief.core.Findings? findings
---@return string? message
---@return chief.Code? code
function core.inspect(spec) end

---A function as a worker's spec. Raises when it captures a local.
---@param run fun(ctx: chief.Ctx)|fun(self: table, ctx: chief.Ctx)
---@return { chunk: string, chunkname: string }
function core.function_spec(run) end

---Lives the worker that this process was started for by a chief; what its main program returns with.
---@return integer code 0 a clean end, 1 the worker failed, 64 not started by a chief, 75 the chief has gone
function core.child() end

---The program that hosts Lua workers in processes; nil alone where chief came as a rock, and the interpreter does.
---@return string? path
---@return string? message
---@return chief.Code? code
function core.worker_program() end

---The file that this process runs.
---@return string?
function core.executable() end

---The folder that this process is in.
---@return string?
function core.folder() end

---Lets writes to who has gone fail instead of ending the process; children get the default.
function core.ignore_sigpipe() end

---@param fd integer
---@return boolean
function core.isatty(fd) end

---Flushes and ends the process at once, whatever still runs in it.
---@param code integer?
function core.exit(code) end

---A state is its name; numbers are read too.
---@class chief.core.state
---@field numbers table<chief.State, integer>
local state = {}

---@param value chief.State|integer
---@return string text the name, or WorkerState(N)
function state.to_string(value) end

---@param value chief.State|integer
---@return true?
---@return string? message
---@return chief.Code? code
function state.validate(value) end

---@param value chief.State|integer
---@return string? json
---@return string? message
---@return chief.Code? code
function state.to_json(value) end

---@param json string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function state.from_json(json) end

---The form for a database: the name, nil for what is no state.
---@param value chief.State|integer
---@return string?
function state.value(value) end

---What a database gave.
---@param column any text, JSON text or an integer
---@return chief.State?
---@return string? message
---@return chief.Code? code
function state.scan(column) end

---@param from chief.State|integer
---@param to chief.State|integer
---@return chief.State?
---@return string? message
---@return chief.Code? code
function state.transition(from, to) end

---@class chief.core.Rule
local Rule = {}

---@param names string[]
---@return true?
---@return string? message
---@return chief.Code? code
function Rule:validate(names) end

---A rule with another message and the same names.
---@param message string
---@return chief.core.Rule
function Rule:error(message) end

---@return string[] names sorted
function Rule:available() end

function Rule:close() end

---@class chief.core.Context
local Context = {}

---@param reason string?
function Context:cancel(reason) end

---@return boolean
function Context:done() end

---@return "cancelled"|"timeout"|nil
function Context:err() end

---@return string?
function Context:reason() end

---@return number? seconds until the deadline
function Context:remaining() end

---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Context:wait(timeout) end

---Readable from the moment it is done.
---@return integer fd
function Context:fd() end

---@param key string
---@param value chief.ContextValue
---@return true?
---@return string? message
---@return chief.Code? code
function Context:set(key, value) end

---@param key string
---@return chief.ContextValue
function Context:get(key) end

function Context:close() end

---@class chief.core.Log
local Log = {}

---@param message any
---@param fields table<string, any>?
function Log:debug(message, fields) end

---@param message any
---@param fields table<string, any>?
function Log:info(message, fields) end

---@param message any
---@param fields table<string, any>?
function Log:warn(message, fields) end

---@param message any
---@param fields table<string, any>?
function Log:error(message, fields) end

---@param key string
---@param value any
---@return chief.core.Log
function Log:with_field(key, value) end

---@param fields table<string, any>
---@return chief.core.Log
function Log:with_fields(fields) end

---@param level chief.Level
function Log:set_level(level) end

function Log:close() end

---What is said of a message beside its value.
---@class chief.Info
---@field sender string the worker's name, "" from the host
---@field kind "message"|"call"|"broadcast"
---@field channel string its name, "" for the mailbox
---@field deliveries integer 1 at the first
local Info = {}

---Answers a call.
---@param value chief.Value
---@return true?
---@return string? message
---@return chief.Code? code
function Info:reply(value) end

---Answers a call with a failure, which its caller gets as `nil, text, "call_failed"`.
---@param text any
---@return true?
---@return string? message
---@return chief.Code? code
function Info:fail(text) end

---A channel. From a worker's ctx it sends and receives as that worker.
---@class chief.core.Channel
---@field name string
local Channel = {}

---@param value chief.Value
---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Channel:send(value, timeout) end

---@param value chief.Value
---@return true?
---@return string? message
---@return chief.Code? code
function Channel:try_send(value) end

---@param values chief.Value[]
---@param timeout number?
---@return integer? sent
---@return string? message
---@return chief.Code? code
---@return integer? sent how many went before it failed
function Channel:send_many(values, timeout) end

---@param timeout number?
---@return chief.Value? value
---@return chief.Info|string info or the message
---@return chief.Code? code
function Channel:recv(timeout) end

---@return chief.Value? value
---@return chief.Info|string info or the message
---@return chief.Code? code
function Channel:try_recv() end

---As many as are there once there is one; in hand as a whole.
---@param max integer? 64
---@param timeout number?
---@return chief.Value[]? values
---@return chief.Info[]|string infos or the message
---@return integer|chief.Code|nil malformed how many were left out, or the code
function Channel:recv_many(max, timeout) end

---Until the channel is closed, or the worker is stopped, and it is empty. Raises for a malformed message.
---@return fun(): chief.Value?, chief.Info?
function Channel:iter() end

---Acknowledges all that the worker holds from this channel.
function Channel:ack() end

---Closes the channel itself, for everybody.
function Channel:close() end

---@return integer
function Channel:len() end

---Readable while something is queued, or it is closed.
---@return integer fd
function Channel:fd() end

---@return { capacity: integer, sent: integer, received: integer, queued: integer, dropped: integer, acknowledged: integer, in_hand: integer, redelivered: integer, dead: integer }
function Channel:stats() end

---What a worker's init and run are given.
---@class chief.Ctx
---@field name string
---@field args any what the worker was added with; an empty table for nothing
---@field generation integer which life this is, from 1
---@field log chief.core.Log
---@field context chief.core.Context
local Ctx = {}

---@return boolean
function Ctx:done() end

---@return "cancelled"|"timeout"|nil
function Ctx:err() end

---@return string?
function Ctx:reason() end

---Readable from the moment the worker is to stop.
---@return integer fd
function Ctx:fd() end

---@param key string
---@return chief.ContextValue
function Ctx:value(key) end

---@param seconds number
---@return true?
---@return string? message
---@return chief.Code? code
function Ctx:sleep(seconds) end

---Says that the worker is ready, where its module has `ready = true`.
function Ctx:ready() end

---@return table<string, chief.State>
function Ctx:states() end

---One of the application's channels; raises for a name that is none, listing those there are.
---@param name string
---@return chief.core.Channel
function Ctx:channel(name) end

---Sends to a worker's mailbox; "*" is to all others.
---@param to string
---@param value chief.Value
---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Ctx:send(to, value, timeout) end

---@param to string
---@param values chief.Value[]
---@param timeout number?
---@return integer? sent
---@return string? message
---@return chief.Code? code
---@return integer? sent
function Ctx:send_many(to, values, timeout) end

---Asks a worker and waits for its answer.
---@param to string
---@param value chief.Value
---@param timeout number?
---@return chief.Value? reply
---@return string? message
---@return chief.Code? code
function Ctx:call(to, value, timeout) end

---@param value chief.Value
---@return integer? reached how many took it
---@return string? message
---@return chief.Code? code
function Ctx:broadcast(value) end

---From the worker's own mailbox.
---@param timeout number?
---@return chief.Value? value
---@return chief.Info|string info or the message
---@return chief.Code? code
function Ctx:recv(timeout) end

---The mailbox, until the worker is stopped and it is empty.
---@return fun(): chief.Value?, chief.Info?
function Ctx:iter() end

---From the first of these that has something; the ctx stands for its mailbox.
---@param sources (chief.core.Channel|chief.Ctx)[]
---@param timeout number?
---@return chief.Value? value
---@return chief.Info|string info or the message
---@return chief.Code? code
function Ctx:select(sources, timeout) end

---Waits until a descriptor can be read, written, or either; for a stop, which is told first, too.
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param timeout number?
---@return "r"|"w"|"rw"|nil ready for what
---@return string? message
---@return chief.Code? code
function Ctx:wait_fd(fd, mode, timeout) end

---@class chief.core.PoolWorker
---@field init nil|fun(ctx: chief.Ctx): table?
---@field run fun(self: table, ctx: chief.Ctx)
---@field restart_on_fail boolean?

---Verbs answer the new state, or nil, message and code. A view of a chief's pool can be looked at only.
---@class chief.core.Pool
local Pool = {}

---@param name string
---@param worker chief.core.PoolWorker
---@return true?
---@return string? message
---@return chief.Code? code
function Pool:set_worker(name, worker) end

---@param name string
---@return chief.core.PoolWorker? worker
---@return string? message
---@return chief.Code? code
function Pool:get_worker(name) end

---Where refused verbs are logged; nil: by the default logger with service=worker-chief.
---@param log chief.core.Log?
---@return true?
---@return string? message
---@return chief.Code? code
function Pool:set_log(log) end

---@param name string
---@return chief.State
function Pool:get_state(name) end

---@param name string
---@param value chief.State|integer
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:set_state(name, value) end

---@param name string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:enable(name) end

---@param name string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:disable(name) end

---@param name string
---@param parent chief.core.Context?
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:init(name, parent) end

---@param name string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:start(name) end

---@param name string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:stop(name) end

---@param name string
---@return chief.State?
---@return string? message
---@return chief.Code? code
function Pool:fail(name) end

---@param name string
---@return boolean
function Pool:is_enabled(name) end

---@param name string
---@return boolean
function Pool:is_alive(name) end

---Runs an initialised worker, here, until it returns.
---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Pool:run_exec(name) end

---@return chief.Status[] statuses
---@return integer seq
function Pool:states() end

---@return string
function Pool:states_json() end

function Pool:close() end

---The chief, one method for each function of chief.h. Where nothing else is said a method answers true, or nil, message
---and code.
---@class chief.core.Chief
local Chief = {}

---@param name string
---@param spec chief.core.Spec
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:add_worker(name, spec) end

---A worker that is an application of its own; `spec.app` is the path of its app file.
---@param name string
---@param spec table
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:add_chief(name, spec) end

---@param name string
---@param options chief.ChannelOptions?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:add_channel(name, options) end

---@param name string
---@param policy chief.GroupPolicy
---@param workers string[]
---@return true? ok
---@return string? message
---@return chief.Code? code
function Chief:add_group(name, policy, workers) end

---@param name string
---@return chief.core.Channel?
---@return string? message
---@return chief.Code? code
function Chief:channel(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:enable_worker(name) end

---@param names string[]
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:enable_workers(names) end

---@param name string
---@return boolean
function Chief:is_enabled(name) end

---@param on boolean
function Chief:set_enable_by_default(on) end

---@param on boolean
function Chief:set_exit_when_done(on) end

---@param seconds number
function Chief:set_force_stop_timeout(seconds) end

---@param level chief.Level
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:set_event_level(level) end

---@param catches { stop: boolean?, hup: boolean?, usr2: boolean?, last: boolean? }
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:catch_signals(catches) end

---@param key string
---@param value chief.ContextValue
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:add_value(key, value) end

---@param log chief.core.Log?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:init_workers(log) end

---@param parent chief.core.Context?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:launch(parent) end

---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:join(timeout) end

---@return true?
---@return string? message
---@return chief.Code? code
function Chief:stop() end

---@return true?
---@return string? message
---@return chief.Code? code
function Chief:force_stop() end

---@param why string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:stop_because(why) end

---@return boolean
function Chief:has_stopped() end

---@return integer
function Chief:exit_code() end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:start_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:stop_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:restart_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:remove_worker(name) end

---@param name string
---@param value chief.State
---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:wait_state(name, value, timeout) end

---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:wait_ready(timeout) end

---@return chief.Status[] statuses in registration order
---@return integer seq the last event that they show
function Chief:states() end

---Of the application that the worker is; "would_block" while it does not live.
---@param worker string
---@return chief.Status[]? statuses
---@return integer|string seq, or the message
---@return chief.Code? code
function Chief:nested_states(worker) end

---@return string
function Chief:states_json() end

---Where a worker is now, without disturbing it: a line («in Lua, at x.lua:7», «in ctx:recv, called from x.lua:7», «in C
---(find), called from x.lua:7»), then its traceback. Also of an abandoned one.
---@param name string
---@return string? text
---@return string? message
---@return string? code "would_block" for one that does not run, "not_supported" for one in C
function Chief:traceback(name) end

---@return chief.core.Pool view good while the chief is open
function Chief:pool() end

---@return chief.core.Context
function Chief:context() end

---Done from the moment the chief begins to stop.
---@return chief.core.Context
function Chief:stop_context() end

---@return { name: string, version: string?, build: string?, tag: string?, pid: integer?, started: number? }
function Chief:info() end

---@return string
function Chief:name() end

---Waits until events wait or the chief begins to stop.
---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:wait_events(timeout) end

---@param max integer? 64
---@param timeout number?
---@return chief.Event[]?
---@return string? message
---@return chief.Code? code "closed" after the last
function Chief:take_events(max, timeout) end

---@return integer fd readable while events wait
function Chief:events_fd() end

---@return integer
function Chief:events_dropped() end

---@return integer
function Chief:late_replies() end

---@param to string
---@param value chief.Value
---@param timeout number?
---@return true?
---@return string? message
---@return chief.Code? code
function Chief:send(to, value, timeout) end

---@param value chief.Value
---@return integer? reached
---@return string? message
---@return chief.Code? code
function Chief:broadcast(value) end

---@param to string
---@param value chief.Value
---@param timeout number?
---@return chief.Value? reply
---@return string? message
---@return chief.Code? code
function Chief:call(to, value, timeout) end

---Stops what still runs and frees the chief.
function Chief:close() end

---What a test tells a simulation, and asks of it; chief.simulate's methods are these with checks.
---@class chief.core.Simulation
local Simulation = {}

---@param name string
---@param options table as chief.WorkerOptions
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:add_worker(name, options) end

---@param name string
---@param policy "one_for_one"|"one_for_all"|"rest_for_one"
---@param workers string[]
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:add_group(name, policy, workers) end

---@param names string[]
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:enable_workers(names) end

---Initialises and launches all.
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:start() end

---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:stop() end

---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:force_stop() end

---A SIGTERM.
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:signal() end

---@param seconds number
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:advance(seconds) end

---@return number seconds since it was made
function Simulation:now() end

---@return number? seconds when something falls due by itself
function Simulation:deadline() end

---@param name string
---@param text string?
---@param reason chief.Reason?
---@param code integer? an exit code
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:fail(name, text, reason, code) end

---@param name string
---@param text string?
---@param times integer? 1
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:fail_init(name, text, times) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:finish(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:ready(name) end

---@param name string
---@param how "obeys"|"busy"|"stuck"
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:behave(name, how) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:start_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:stop_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:restart_worker(name) end

---@param name string
---@return true?
---@return string? message
---@return chief.Code? code
function Simulation:remove_worker(name) end

---@return chief.Status[] statuses in registration order
---@return integer seq of the last event
function Simulation:states() end

---@return chief.Event[] some of those that were told; none when there are no more
function Simulation:take_events() end

---@return boolean
function Simulation:has_stopped() end

---@return integer
function Simulation:exit_code() end

function Simulation:close() end

return core
