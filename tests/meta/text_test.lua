-- What no file of the project may hold: a path of somebody's machine, notes to self, stray white space.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

-- Written in two parts so that this file does not hold them.
local machine = { "/wo" .. "rk/", "/ho" .. "me/", "/ro" .. "ot/" }
local notes = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X" }

local function check(path, text)
  local complaints, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local function complain(message) complaints[#complaints + 1] = path .. ":" .. number .. ": " .. message end
    for _, prefix in ipairs(machine) do
      local at = line:find(prefix, 1, true)
      if at and not line:sub(1, at - 1):find("[%w_.}$-]$") then complain("a path of a machine: " .. prefix) end
    end
    for _, word in ipairs(notes) do
      if line:find("%f[%w_]" .. word .. "%f[^%w_]") then complain("a note to self: " .. word) end
    end
    if line:find("[ \t\r]$") then complain("white space at the end of the line") end
    -- Of Go's because gofmt would have it so.
    local indented_by_tabs = path:find("Makefile") or path == "debian/rules" or path:find("%.go$")
    if line:find("\t") and not indented_by_tabs then complain("a tab") end
  end
  if text ~= "" and not text:find("\n$") then complaints[#complaints + 1] = path .. ": no newline at the end" end
  return complaints
end

lib.refuses("a path of a machine", check("a", "cd " .. machine[1] .. "main\n"))
lib.accepts("a path that only contains it", check("a", "cd doc" .. machine[1] .. "main\n"))
lib.refuses("a note to self", check("a", "/* " .. notes[1] .. ": later */\n"))
lib.refuses("white space at the end", check("a", "a \n"))
lib.refuses("no newline at the end", check("a", "a"))

local complaints = {}
for _, path in ipairs(lib.files("^[^/]")) do
  local text = lib.read(path)
  local is_bytes = path:find("^tests/fuzz/corpus/") or text:sub(1, 8000):find("\0")
  if path ~= "LICENSE" and not is_bytes then
    for _, complaint in ipairs(check(path, text)) do complaints[#complaints + 1] = complaint end
  end
end
lib.accepts("every file of text", complaints)
lib.finish()
