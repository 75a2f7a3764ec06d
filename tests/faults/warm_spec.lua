-- FAULTS 45: what one life of a worker changed in its state, the next one over the same memory does not see.
local stage = require "stage"

local CHANGING = [[
local M = { restart_on_fail = true }

local function change_everything()
  mine, print, _G.math = "mine", nil, nil
  setmetatable(_G, { __index = function(_, key) return "global " .. key end })
  string.mine, table.concat, os.time = "mine", nil, nil
  local strings = getmetatable ""
  strings.__add, strings.__index, strings.__call = error, error, error
  package.path, package.cpath = "/nowhere/?.lua", "/nowhere/?.so"
  package.loaded.mine, package.preload.mine = {}, error
  package.loaded.utf8, package.searchers[2] = nil, nil
  for _, value in ipairs { 1, true } do debug.setmetatable(value, { __index = error, __name = "mine" }) end
  debug.setmetatable(nil, { __index = error })
  debug.setmetatable(error, { __index = error })
  debug.getregistry().mine = "mine"
  debug.getregistry()[1] = "mine"
  debug.sethook(function() end, "crl", 100)
  collectgarbage "generational"
  collectgarbage "stop"
  coroutine.wrap(function() coroutine.yield() end)()
end

local function look()
  local registry, seen = debug.getregistry(), {}
  local function see(name, value) seen[#seen + 1] = name .. " " .. tostring(value) end
  see("global", rawget(_G, "mine"))
  see("print", type(print) .. type(math) .. type(table.concat) .. type(os.time) .. type(utf8))
  see("globals' metatable", getmetatable(_G))
  see("string.mine", string.mine)
  see("strings", ("x"):upper() .. "1" + 1 .. tostring(getmetatable("").__call))
  see("path", tostring(package.path:find "nowhere") .. tostring(package.cpath:find "nowhere"))
  see("loaded", tostring(package.loaded.mine) .. tostring(package.preload.mine) .. type(package.loaded.utf8))
  see("searchers", #package.searchers)
  see("metatables", tostring(debug.getmetatable(1)) .. tostring(debug.getmetatable(true))
    .. tostring(debug.getmetatable(nil)) .. tostring(debug.getmetatable(error)))
  see("registry", tostring(registry.mine) .. type(registry[1]))
  see("hook", debug.gethook())
  see("collector", tostring(collectgarbage "isrunning") .. collectgarbage "incremental")
  return seen
end

function M.run(_, ctx)
  if ctx.generation % 2 == 1 then
    local fail = error
    change_everything()
    fail "changed everything"
  end
  ctx:channel("out"):send(look())
  if ctx.generation < 8 then error "again" end
  return true
end

return M
]]

local CLEAN = {
  "global nil", "print functiontablefunctionfunctiontable", "globals' metatable nil", "string.mine nil",
  "strings X2nil",
  "path nilnil", "loaded nilniltable", "searchers 4", "metatables nilnilnilnil", "registry nilthread", "hook nil",
  "collector trueincremental",
}

describe("a state over the memory of one before", function()
  for _, libraries in ipairs { "lazy", "eager" } do
    it("45: has nothing of that one, its libraries " .. libraries, function()
      local s = stage.new { ["changing.lua"] = CHANGING }
      local restart = { policy = "on_failure", delay = 0, jitter = 0 }
      assert(s:add("changing", { libraries = libraries, restart = restart }))
      s:start()
      for _ = 1, 4 do assert.same(CLEAN, (s:next())) end
      s:wait("changing", "stopped")
      s:close()
    end)
  end
end)
