-- `luarocks test`: what was installed runs workers, under plain Lua and without this project's files around it.
local function fail(...)
  io.stderr:write(table.concat({ ... }, " "), "\n")
  os.exit(1)
end

local found, chief = pcall(require, "chief")
if not found then fail("the rock is not installed: luarocks make\n" .. chief) end

local folder = os.tmpname()
os.remove(folder)
assert(os.execute(("mkdir '%s'"):format(folder)))
local file <close> = assert(io.open(folder .. "/echo.lua", "w"))
file:write([[
return { run = function(_, ctx)
  for value, info in ctx:iter() do info:reply({ said = value }) end
  return true
end }
]])
file:close()

package.path = folder .. "/?.lua;" .. package.path
local c = chief.new { name = "rock-test", log = { level = "off" } }
c:add_worker("echo", "echo")
assert(c:init_workers())
assert(c:launch())
local answer = assert(c:call("echo", "hello", 10))
if answer.said ~= "hello" then fail("the worker answered", tostring(answer.said)) end
assert(c:stop())
assert(c:join(10))
os.execute(("rm -rf '%s'"):format(folder))
print("chief " .. chief.version .. " runs workers")
