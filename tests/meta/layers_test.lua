-- Who may include whom: arrows in core/src point only downwards, core knows no Lua, the bindings only chief.h.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

-- From the bottom up; a new noun gets its place here. A noun of several files is listed by each of them.
local layers = {
  { "alloc", "err", "calendar", "plat", "stack", "log", "json", "map", "replica", "value", "wait" },
  { "state", "rule", "policy", "intensity", "agenda", "names", "model", "model_group", "model_link",
    "step", "step_emit", "step_group", "step_life", "step_policy", "step_request", "step_stop", "frame",
    "rulezone", "zone", "cron", "schedule" },
  { "ring", "codec", "zone_file" },
  { "transport", "context", "msg", "call", "party", "channel", "send", "recv", "select", "hand", "turn", "mailbox",
    "post", "pool", "refusal", "snapshot", "fiber", "prepare", "crew", "pack",
    "registry", "verbs" },
  { "program", "lines", "launch", "group", "spawn", "spawned", "leash", "limits" },
  { "inbox", "worker", "life", "guest", "unit", "asker", "runner", "plugin", "event", "wire",
    "plan", "remote", "sideline", "child",
    "serve", "tell", "proxy" },
  { "chief", "loop", "act", "act_end", "ask", "home", "sim", "catch", "finish", "info", "request", "run", "nested",
    "hosted", "process" },
}

-- Layer 2 decides without a clock, a thread or the outside world.
local pure_layer = 2

-- Headers that only plat.c may see, and who else may and why.
local os_specific = { "^pthread%.h$", "^sys/", "^unistd%.h$", "^poll%.h$", "^signal%.h$", "^fcntl%.h$", "^sched%.h$",
  "^semaphore%.h$", "^dlfcn%.h$", "^threads%.h$", "^linux/" }
local exceptions = {
  ["plugin <dlfcn.h>"] = "loads the shared object of a plug-in",
  ["catch <signal.h>"] = "keeps the host's signal handlers while libuv has its own there",
  ["stack"] = "maps memory, and asks whether a thread still is",
  ["program"] = "asks the loader and the file system where it is itself",
  ["launch"] = "starts a child: all of it is the system's own",
  ["group"] = "watches and signals a child: all of it is the system's own",
  ["leash"] = "asks the kernel to tell of the chief's death",
  ["limits"] = "sets what the system limits",
  ["wire <sys/socket.h>"] = "reads and writes a socket",
  ["sideline"] = "waits for a socket and for SIGTERM; ends a process whose chief has gone",
  ["child"] = "takes over the two sockets that it was started with",
  ["spawn <sys/epoll.h>"] = "waits for children and what they write",
  ["spawned"] = "reads what a child prints, and its side channel; names the signals it sends",
}

local level = {}
for number, nouns in ipairs(layers) do
  for _, noun in ipairs(nouns) do level[noun] = number end
end

local function includes(text)
  local list = {}
  for line in ("\n" .. text):gmatch("\n%s*#%s*include%s+([^\n]+)") do
    local quoted, system = line:match('^"([^"]+)"'), line:match("^<([^>]+)>")
    list[#list + 1] = { name = quoted or system, system = system ~= nil }
  end
  return list
end

local function check_core(path, text)
  local complaints = {}
  local noun = path:match("([^/]+)%.[ch]$")
  local function complain(message) complaints[#complaints + 1] = path .. " " .. message end
  if not level[noun] then
    complain("is of no layer: give it its place in tests/meta/layers_test.lua")
    return complaints
  end
  for _, include in ipairs(includes(text)) do
    local other = include.name:match("^([^/]+)%.h$")
    if include.name:find("^lua") or include.name:find("^lauxlib") or include.name:find("chief_lua") then
      complain("includes " .. include.name .. ": core knows no Lua")
    elseif include.system then
      for _, pattern in ipairs(os_specific) do
        if include.name:find(pattern) and noun ~= "plat" and not exceptions[noun]
          and not exceptions[noun .. " <" .. include.name .. ">"] then
          complain("includes <" .. include.name .. ">: what is the system's own is in plat")
        end
      end
      if level[noun] == pure_layer and (include.name == "uv.h" or include.name == "time.h") then
        complain("includes <" .. include.name .. ">: it is to be pure")
      end
    elseif include.name ~= "chief.h" then
      if not level[other] then
        complain("includes " .. include.name .. ", which is of no layer")
      elseif level[other] > level[noun] then
        complain("includes " .. include.name .. " of a layer above its own")
      elseif level[noun] == pure_layer and (other == "plat" or other == "wait") then
        complain("includes " .. include.name .. ": it is to be pure")
      end
    end
  end
  return complaints
end

-- Nouns of one layer may know each other, one way.
local function check_cycles(headers)
  local complaints, state = {}, {}
  local function visit(path, trail)
    if state[path] == "done" or not headers[path] then return end
    if state[path] then
      complaints[#complaints + 1] = "headers include each other: " .. trail .. " → " .. path
      return
    end
    state[path] = "open"
    for _, include in ipairs(includes(headers[path])) do visit(include.name, trail .. " → " .. path) end
    state[path] = "done"
  end
  for path in pairs(headers) do visit(path, "") end
  return complaints
end

local function check_binding(path, text)
  local complaints = {}
  for _, include in ipairs(includes(text)) do
    local own = path:match("^(.*/)") .. include.name
    if include.name:find("core/src") or include.name:find("%.%./") then
      complaints[#complaints + 1] = path .. " includes " .. include.name .. ": a binding has chief.h alone"
    elseif not include.system and include.name ~= "chief.h" and include.name ~= "chief_lua.h" and not lib.exists(own)
      and lib.exists("core/src/" .. include.name) then
      complaints[#complaints + 1] = path .. " includes core's " .. include.name
    end
  end
  return complaints
end

local function each(pattern, check)
  local complaints = {}
  for _, path in ipairs(lib.files(pattern)) do
    for _, complaint in ipairs(check(path, lib.read(path))) do complaints[#complaints + 1] = complaint end
  end
  return complaints
end

lib.refuses("an arrow upwards", check_core("core/src/state.c", '#include "pool.h"\n'))
lib.refuses("a pure file with a clock", check_core("core/src/step.c", '#include "plat.h"\n'))
lib.refuses("a pure file with time.h", check_core("core/src/step.c", "#include <time.h>\n"))
lib.refuses("pthread outside plat", check_core("core/src/pool.c", "#include <pthread.h>\n"))
lib.refuses("Lua in core", check_core("core/src/worker.c", "#include <lua.h>\n"))
lib.refuses("a noun of no layer", check_core("core/src/misc.c", ""))
lib.refuses("a binding that sees core", check_binding("bindings/lua/x.c", '#include "../../core/src/pool.h"\n'))
lib.refuses("headers in a circle", check_cycles({ ["a.h"] = '#include "b.h"', ["b.h"] = '#include "a.h"' }))
lib.accepts("a good include", check_core("core/src/pool.c", '#include "chief.h"\n#include "msg.h"\n'))

lib.accepts("core/src includes only downwards", each("^core/src/.*%.[ch]$", check_core))
lib.accepts("bindings include only the public header", each("^bindings/.*%.[ch]$", check_binding))
local headers = {}
for _, path in ipairs(lib.files("^core/src/.*%.h$")) do headers[path:match("[^/]+$")] = lib.read(path) end
lib.accepts("no headers in a circle", check_cycles(headers))
lib.finish()
