-- The table of the fault cases: every number is there once, every test it names exists, and where a case is not told in
-- threads, as fibers and in processes, something says why.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

local LAST, TO_COME = 49, { [40] = true, [44] = true }

local cmake = lib.read("tests/CMakeLists.txt")

-- The text of a test by its name in the table, and its path.
local function file_of(name)
  local folder, base = name:match("^(%l+)/(.+)$")
  for _, path in ipairs(folder and { ("tests/%s/%s.c"):format(folder, base), ("tests/%s/%s.lua"):format(folder, base),
    ("tests/%s/%s.lua"):format(folder, folder) } or
    { ("tests/faults/test_fault_%s.c"):format(name), ("tests/faults/%s.lua"):format(name) }) do
    if lib.exists(path) then return lib.read(path), path end
  end
end

-- Whether it is run in that place, too.
local function is_run(path, text, place)
  local group, spec = path:match("^tests/(%l+)/(.+)_spec%.lua$")
  if not group or place == "T" then return true end
  local isolation = place == "F" and "fiber" or "process"
  local listed = cmake:match("chief_add_isolation_tests%(" .. group .. " " .. isolation .. "([^)]*)%)") or ""
  if (listed .. " "):find(" " .. spec .. " ", 1, true) then return true end
  return (group == "cli" or spec:find(isolation, 1, true)) and text:find(isolation, 1, true)
end

-- A number of a test, in C or Lua.
local function has_number(path, text, number)
  if path:find("%.lua$") then return text:find('"' .. number .. ": ", 1, true) end
  return text:find("test_faults?_[%d_]*" .. number)
end

-- What is wrong with «TFP `name 12`: words; …», and which places it names.
local function judge_cell(cell, places)
  local complaints = {}
  for part in (cell .. ";"):gmatch("%s*(.-);") do
    local where, rest = part:match("^([TFP]+) (.+)$")
    for name in (rest or ""):gmatch("`([^`]+)`") do
      local base, number = name:match("^(%S+) (%d%d)$")
      local text, path = file_of(base or name)
      local words = rest:match("`: (.+)$")
      if not text then complaints[#complaints + 1] = "no test " .. name
      elseif number and not has_number(path, text, number) then complaints[#complaints + 1] = "nothing in " .. name
      elseif words and not text:find(words, 1, true) then complaints[#complaints + 1] = path .. " has no " .. words
      else
        for place in where:gmatch(".") do
          if not is_run(path, text, place) then complaints[#complaints + 1] = path .. " is not run in " .. place end
        end
      end
    end
    if not where and part ~= "—" then complaints[#complaints + 1] = "not understood: " .. part end
    for place in (where or ""):gmatch(".") do places[place] = true end
  end
  return complaints
end

local function check(text)
  local complaints, seen = {}, {}
  for number, case, c, lua, beside in text:gmatch("\n| (%d+) | ([^|]*) | ([^|]*) | ([^|]*) | ([^|]*)|") do
    if seen[tonumber(number)] then complaints[#complaints + 1] = number .. " is there twice" end
    seen[tonumber(number)] = case
    for _, cell in ipairs { c, lua } do
      local places = {}
      for _, complaint in ipairs(judge_cell(cell, places)) do
        complaints[#complaints + 1] = number .. ": " .. complaint
      end
      if not (places.T and places.F and places.P) and not beside:find("%S") then
        complaints[#complaints + 1] = number .. ": nothing says why it is not told in each place"
      end
    end
  end
  for number = 1, LAST do
    if not seen[number] and not TO_COME[number] then complaints[#complaints + 1] = number .. " is missing" end
  end
  return complaints
end

local table_of_cases = lib.read("tests/faults/README.md")
lib.refuses("a number that is missing", check((table_of_cases:gsub("\n| 9 |[^\n]*", ""))))
lib.refuses("a test that is not there", check((table_of_cases:gsub("`restarts 01`", "`restarts 99`"))))
lib.refuses("a file that is not there", check((table_of_cases:gsub("`restarts 01`", "`nosuch 01`"))))
lib.refuses("a place that is left out", check((table_of_cases:gsub("TFP `restarts 01`", "T `restarts 01`"))))
lib.refuses("a spec that is not run there",
  check((table_of_cases:gsub("TF `interrupt_spec 16`", "TFP `interrupt_spec 16`"))))
lib.accepts("each fault case is told, and where", check(table_of_cases))
lib.finish()
