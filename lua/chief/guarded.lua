-- Runs a program's function so that it can be ended from outside: in a coroutine that is looked at now and then. What
-- it does in Lua code is interrupted; C code that blocks, and coroutines of its own, are not.

-- How many instructions pass between two looks: some microseconds.
local INTERVAL = 10000

local guarded = {}

---Calls the function with these arguments. Once `over` answers, each instruction raises, so that no loop around a pcall
---outlives it.
---@param fn function
---@param args table as table.pack makes it
---@param over fun(): string? why it has to end; nil while it may go on
---@param what string how it is called in a sentence
---@return boolean ok
---@return any result what it returned first, or the traceback
---@return any second
function guarded.call(fn, args, over, what)
  local function look()
    local why = over()
    if not why then return end
    debug.sethook(look, "", 1)
    error(why, 2)
  end
  local running = coroutine.create(fn)
  debug.sethook(running, look, "", INTERVAL)
  local ok, result, second = coroutine.resume(running, table.unpack(args, 1, args.n))
  if ok and coroutine.status(running) == "suspended" then ok, result = false, what .. " yielded" end
  if ok then return true, result, second end
  local traceback = debug.traceback(running, tostring(result))
  debug.sethook(running)
  coroutine.close(running)
  return false, traceback
end

return guarded
