#!/usr/bin/env bash
# C modules that workers load (lua-cjson, luasocket, luv, lpeg), each in a state and thread of its own: under lua5.4, under
# the chief program, and under Python, whose process has no Lua until ctypes loads libchief-lua.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
build=${CHIEF_INSTALL_FROM:-$CHIEF_BUILD}
mkdir "$work/workers"

worker() { # NAME, the body of run on standard input
    { echo "return { run = function(_, ctx)" && cat && echo 'print(ctx.name .. " works") return true end }'; } >"$work/workers/$1.lua"
}
worker cjson <<'END'
  local json = require "cjson"
  assert(json.decode(json.encode { n = { 1, 2, 3 } }).n[3] == 3)
END
worker luasocket <<'END'
  local socket = require "socket"
  local server = assert(socket.bind("127.0.0.1", 0))
  local host, port = server:getsockname()
  local client = assert(socket.connect(host, port))
  assert(client:send("hello\n"))
  assert(server:accept():receive() == "hello")
END
worker luv <<'END'
  local uv, rang = require "luv", 0
  local timer = uv.new_timer()
  timer:start(1, 1, function()
    rang = rang + 1
    if rang == 3 then timer:close() end
  end)
  uv.run()
  assert(rang == 3)
END
worker lpeg <<'END'
  local lpeg = require "lpeg"
  local words = lpeg.Ct((lpeg.C(lpeg.R("az") ^ 1) * lpeg.P(" ") ^ -1) ^ 0)
  assert(words:match("one two three")[3] == "three")
END
names=(cjson luasocket luv lpeg)
expected=$(printf '%s works\n' "${names[@]}" | sort)

cat >"$work/program.lua" <<'END'
local chief = require "chief"
local c = chief.new { name = "modules", exit_when_done = true }
for _, name in ipairs { "cjson", "luasocket", "luv", "lpeg" } do c:add_worker(name, "workers." .. name) end
os.exit(c:run_all() and 0 or 1)
END
cat >"$work/app.lua" <<'END'
local workers = {}
for _, name in ipairs { "cjson", "luasocket", "luv", "lpeg" } do workers[name] = { module = "workers." .. name } end
return { workers = workers }
END
cat >"$work/program.py" <<'END'
import ctypes, sys

chief_lua = ctypes.CDLL(sys.argv[1] + "/libchief-lua.so")
chief = ctypes.CDLL(sys.argv[1] + "/libchief.so")
chief.chief_last_error.restype = ctypes.c_char_p

def check(code):
    if code != 0:
        sys.exit(chief.chief_last_error().decode())

c = ctypes.c_void_p()
check(chief.chief_new(ctypes.byref(c), None))
check(chief.chief_set_exit_when_done(c, 1))
for name in [b"cjson", b"luasocket", b"luv", b"lpeg"]:
    check(chief_lua.chief_lua_add_worker(c, name, b"workers." + name, None))
check(chief.chief_run_all(c, b"modules", None, ctypes.c_size_t(0)))
chief.chief_free(c)
END

run() { (cd "$work" && "$@" >"$work/output" 2>"$work/log" && sort "$work/output") || cat "$work/log"; }
step "under lua5.4" same "$(LUA_PATH_5_4="$CHIEF_SOURCE/lua/?.lua;$CHIEF_SOURCE/lua/?/init.lua;;" \
    LUA_CPATH_5_4="$build/lua/?.so;;" run lua5.4 program.lua)" "$expected"
step "under the chief program" same "$(run "$build/bin/chief" run app.lua)" "$expected"
step "under Python" same "$(run python3 program.py "$build/lib")" "$expected"
