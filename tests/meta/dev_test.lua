-- ./dev does what its help says, and what the documents tell people to type exists.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

local function commands_of(script)
  local commands = {}
  for name in script:gmatch("\ncmd_([%w_-]+)%(%)") do commands[name] = true end
  return commands
end

local function help_of(script)
  local listed = {}
  for line in script:match("COMMAND …\n\n(.-)\n\n"):gmatch("[^\n]+") do
    local name = line:match("^  (%l+) ")
    if name then listed[name] = true end
  end
  return listed
end

local function check_help(script)
  local complaints, commands, listed = {}, commands_of(script), help_of(script)
  for name in pairs(listed) do
    if not commands[name] then complaints[#complaints + 1] = "the help lists " .. name .. ", which does not exist" end
  end
  for name in pairs(commands) do
    if not listed[name] then complaints[#complaints + 1] = "the help does not list " .. name end
  end
  return complaints
end

local function check_groups(script)
  local complaints = {}
  for list in script:gmatch("\n%l*_?groups=%((.-)%)") do
    for group in list:gmatch("%S+") do
      if not script:find("\ngroup_" .. group:gsub("%-", "%%-") .. "%(%)") then
        complaints[#complaints + 1] = "no group_" .. group
      end
    end
  end
  return complaints
end

local function check_document(path, text, commands)
  local complaints = {}
  for name in text:gmatch("%./dev ([%w-]+)") do
    if not commands[name] then complaints[#complaints + 1] = path .. ": there is no ./dev " .. name end
  end
  return complaints
end

local script = lib.read("dev")
local sample = "\ncmd_a() {\n}\nusage: COMMAND …\n\n  a   does a\n  b   does b\n\nend"
lib.refuses("a command that is only in the help", check_help(sample))
lib.refuses("a command that is not in the help", check_help(sample:gsub("cmd_a", "cmd_c"):gsub("  b   does b\n", "")))
lib.refuses("a group without a function", check_groups("\ngroups=(nothing)\n"))
lib.refuses("a document that names what is not there", check_document("x", "run `./dev nothing`", commands_of(script)))

-- What is typed wrong is told in a line that says what there is, before anything is built.
local function check_refusal(arguments, expected)
  local pipe = assert(io.popen(("%s/dev %s 2>&1"):format(os.getenv("CHIEF_SOURCE") or ".", arguments)))
  local text = pipe:read("a")
  local _, how, code = pipe:close()
  if how == "exit" and code == 64 and text:find(expected, 1, true) then return {} end
  return { ("./dev %s: %s %d, and not 64 with «%s»: %s"):format(arguments, how, code, expected, text) }
end

for arguments, expected in pairs {
  ["frob"] = "./dev frob: there is no such command",
  ["test frob"] = "./dev test: no group frob; there are: lint",
  ["build frob"] = "./dev build: no preset frob",
  ["bench frob"] = "./dev bench: no work frob; there are: oneway-int",
  ["bench --runs frob"] = "./dev bench: --runs should be a whole number, got frob",
  ["soak frob"] = "./dev soak: MINUTES should be a whole number, got frob",
  ["fuzz frob"] = "./dev fuzz: no target frob; there are: ",
  ["asan frob"] = "./dev asan: no label frob; there are: core",
  ["lint frob"] = "./dev lint: takes no arguments",
} do lib.accepts("that ./dev " .. arguments .. " is refused", check_refusal(arguments, expected)) end

lib.accepts("the help and the commands", check_help(script))
lib.accepts("the groups", check_groups(script))
for _, path in ipairs(lib.files("%.md$")) do
  lib.accepts(path, check_document(path, lib.read(path), commands_of(script)))
end
lib.finish()
