-- Lua's libraries in a worker's state: they fill themselves at first use, which nobody sees but by next and rawget.
local stage = require "stage"

-- What a probe may call uses no library itself: the names in a table with the types of what they name, as pairs or next
-- sees them.
local HEAD = [[
local M = {}
local function join(list)
  local text = ""
  for i = 1, #list do
    local least = i
    for k = i + 1, #list do if list[k] < list[least] then least = k end end
    list[i], list[least] = list[least], list[i]
    text = text .. list[i] .. "\n"
  end
  return text
end
local function names(t, raw)
  local list, walk, of, first = {}, next, t, nil
  if not raw then walk, of, first = pairs(t) end
  for key, value in walk, of, first do list[#list + 1] = tostring(key) .. ":" .. type(value) end
  return join(list)
end
local function probe()
]]

local FOOT = [[

end
M.text = tostring(probe())
function M.run(_, ctx)
  ctx:channel("out"):send { name = ctx.name, text = M.text }
  return true
end
return M
]]

-- Each is what a worker does first; its text is to be the same in both kinds of state.
local PROBES = {
  "return ('x'):upper() .. #'abc' .. ('%d'):format(3)",
  "return '10' + 1",
  "return 2 ^ '3' .. '7' // 2 .. '7' % 4 .. 3 - '1' .. '3' * 2 .. '3' / 2",
  "return -'3'",
  "return select(2, pcall(function() return 'a' + 1 end))",
  "return select(2, pcall(function() return {} - 'a' end))",
  "return select(2, pcall(function() return -'a' end))",
  "return select(2, pcall(function() return math.nothing() end))",
  "return select(2, pcall(function() return ('x'):nothing() end))",
  "return select(2, pcall(function() return math .. 'x' end))",
  "return select(2, pcall(function() return math() end))",
  "return select(2, pcall(function() os.setlocale('C') end))",
  "return select(2, pcall(function() math.floor({}) end))",
  "return tostring(getmetatable(math))",
  "return tostring(debug.getmetatable(math)) .. tostring(debug.getmetatable(debug))",
  "return names(getmetatable(''))",
  "local m = getmetatable('') m.__add = function() return 'mine' end return 'a' + 1",
  "local m = getmetatable('') m.__index = function(_, k) return k end return ('x').anything .. string.rep('y', 2)",
  "debug.setmetatable('', { __index = { up = string.upper } }) return ('x'):up() .. tostring(('x').len)",
  "setmetatable(math, { __index = function(_, k) return k end }) return math.anything .. math.floor(1.5)",
  "math.pi = 3 return math.pi .. math.floor(2.5)",
  "rawset(math, 'pi', 3) return math.pi .. math.floor(2.5)",
  "string.trim = function(s) return s:match('^%s*(.-)%s*$') end return (' x '):trim()",
  "math.floor = nil return tostring(math.floor) .. math.ceil(1.5)",
  "return #math .. rawlen(os) .. #string",
  "return tostring(math == package.loaded.math) .. tostring(string == require 'string')",
  "local t = setmetatable({}, { __index = math }) return t.floor(2.5)",
  "return load('return floor(2.5)', 'c', 't', math)()",
  "return table.concat({ 1, 2 }) .. table.unpack({ 7 }) .. select('#', table.unpack({}, 1, 3))",
  "return coroutine.wrap(function(a) return coroutine.yield(a) end)(4) .. tostring(coroutine.isyieldable())",
  "return utf8.char(228) .. utf8.len('ä')",
  "return io.type(io.stdout) .. tostring(io.open('/nowhere'))",
  "return os.date('!%Y', 0) .. type(os.time()) .. tostring(os.getenv('CHIEF_NOWHERE'))",
  "return debug.getinfo(1, 'l').currentline .. tostring(debug.gethook())",
  "return select(2, pcall(string.rep)) .. select(2, pcall(string.rep, 'x', 1e10))",
  "return names(_G, true)",
  "return names(package.loaded, true)",
  "return names(package)",
  "local all = {} for name, lib in next, package.loaded do all[#all + 1] = name .. names(lib) end return join(all)",
  "local all = {} for name, lib in next, package.loaded do all[#all + 1] = lib.x or name .. names(lib, true) end "
    .. "return join(all)",
  "return select(2, pcall(require, 'chief_no_such_module'))",
  "return select(2, pcall(function() require 'chief_no_such_module' end))",
  "local r = require local p = package.path return tostring(r == require) .. tostring(r == _G.require) .. type(p)",
  "require = nil return type(package.path) .. tostring(require)",
  "local r = require require = print return tostring(r 'package' == package) .. tostring(require == print)",
  "local r = require package = nil return tostring(r 'string' == string)",
  "package.path = '/nowhere/?.lua' return select(2, pcall(require, 'chief_no_such_module'))",
  "package.searchers = nil return select(2, pcall(require, 'chief_no_such_module'))",
  "package.preload.mine = function(...) return { ... } end return table.concat(require 'mine', '.')",
  "return tostring(package.loaded == debug.getregistry()._LOADED) .. type(package.searchers[2])",
  "return tostring(getmetatable(package)) .. #package.searchers .. names(package.preload)",
  "return tostring(package.loadlib('/nowhere.so', '*')) .. names(io, true)",
  "for _, f in ipairs(package.searchers) do pcall(f, 'chief_no_such_module') end return names(utf8, true)",
  "return names(_G)",
  "return tostring(getmetatable(_G)) .. names(_G, true)",
  "return tostring(debug.getmetatable(_G)) .. tostring(debug.getregistry()._LOADED.utf8 == utf8)",
  "setmetatable(_G, { __index = function(_, k) return k end }) return anything .. math.floor(1.5) .. names(_G, true)",
  "setmetatable(_G, { __newindex = function(t, k, v) rawset(t, k, 'got ' .. v) end }) x = 'y' return x",
  "print = nil return tostring(print) .. type(_G.print) .. names(_G)",
  "_G.print = 7 return print",
  "local p = print print = nil print = 8 return print .. type(p)",
  "rawset(_G, 'print', nil) return tostring(print)",
  "return tostring(rawget(_G, 'utf8') == utf8) .. tostring(rawget(_G, 'nothing'))",
  "string = nil return tostring(string) .. ('x'):upper() .. type(require 'string')",
  "math = { mine = 1 } return math.mine .. require 'math'.floor(1.5)",
  "table = nil for k in pairs(_G) do if k == 'table' then return 'there' end end return tostring(table)",
  "require = nil string = nil return ('x'):rep(2) .. type(package.loaded.string) .. tostring(require)",
  "package.loaded.math = nil return tostring(pcall(require, 'math')) .. math.floor(1.5)",
  "return tostring(_G._G == _G) .. _VERSION .. tostring(require '_G' == _G)",
  "return tostring(require 'package' == package) .. tostring(require 'debug' == debug)",
  "return tostring(pairs {} == next) .. tostring(next {})",
  "local text = '' for i = 1, 100 do text = text .. tostring(_G['name' .. i]) end return text .. names(_G, true)",
  "for i = 1, 100 do _G['name' .. i] = i end return names(_G) .. math.floor(name3)",
  "local env = setmetatable({}, { __index = _G }) return load('return type(math.floor), print', 'c', 't', env)()",
  "return select(2, pcall(function() return nothing.x end)) .. select(2, pcall(function() print.x.y = 1 end))",
  "return select(2, xpcall(function() string.rep() end, debug.traceback))",
  "return select(2, xpcall(function() ('x'):rep({}) end, function(m) return debug.traceback(m) end))",
  "return select(2, pcall(setmetatable, _G)) .. select(2, pcall(getmetatable))",
  "local n = 0 for _ in pairs(package.loaded) do n = n + 1 end return n",
}

local function texts(libraries)
  local files, found = {}, {}
  for i, probe in ipairs(PROBES) do
    files["probe" .. i .. ".lua"] = HEAD .. probe .. FOOT
  end
  local s = stage.new(files)
  for i in ipairs(PROBES) do assert(s:add("probe" .. i, { libraries = libraries })) end
  s:start()
  for _ in ipairs(PROBES) do
    local report = s:next()
    found[tonumber(report.name:match "%d+")] = (report.text:gsub((s.folder:gsub("%p", "%%%0")), ""))
  end
  s:close()
  return found
end

describe("the libraries of a worker", function()
  it("are the same whether they were there from the start or not", function()
    local lazy, eager = texts "lazy", texts "eager"
    assert.equal("X33", eager[1])
    assert.equal("11", eager[2])
    for i, probe in ipairs(PROBES) do assert.equal(eager[i], lazy[i], probe) end
  end)

  it("are empty until they are used, unless the worker wants them full", function()
    local text = "local first = next(math) return { run = function(_, ctx) "
      .. "ctx:channel('out'):send { ctx.name, first or false } return true end }"
    local s = stage.new { ["lazy.lua"] = text, ["eager.lua"] = text }
    assert(s:add("lazy"))
    assert(s:add("eager", { libraries = "eager" }))
    s:start()
    local said = {}
    for _ = 1, 2 do
      local report = s:next()
      said[report[1]] = report[2]
    end
    s:close()
    assert.is_false(said.lazy)
    assert.is_string(said.eager)
  end)

  it("are one of two words", function()
    local s = stage.new { ["a.lua"] = "return { run = function() end }" }
    assert.has_error(function() s:add("a", { libraries = "some" }) end)
    s:close()
  end)
end)
