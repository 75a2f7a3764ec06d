-- Runs what a document shows, as its reader would type it.
--
--   ```lua    whose first line is a comment that is a path: that file, in a folder of the document's own
--   ```c      the same
--   ```lua    without one: a program for lua5.4, which has to end with code 0
--   ```console  `$ command` lines, each with what it answers. `…` stands for any text, alone on a line for any lines;
--             times may be others; `^C` is the reader's Ctrl-C, once the line before it has come
local app_folder = require "app_folder"
local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")

local document = {}

local TIME = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ"
local LIMIT = 20 * (tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1)

local function path_of(block)
  if block.language == "lua" then return block.text:match("^%-%- (%S+%.lua)[^\n]*\n") end
  if block.language == "c" then return block.text:match("^/%* (%S+%.c)[^\n]*\n") end
end

---The blocks of a document, in their order; one of which no language is said is a picture.
---@param path string in the project
---@return { language: string, text: string, line: integer }[]
function document.blocks(path)
  local blocks, open, number = {}, nil, 0
  for line in assert(io.lines(command.source .. "/" .. path)) do
    number = number + 1
    local fence = line:match("^```(.*)$")
    if fence and open then
      open.text = table.concat(open.lines, "\n") .. "\n"
      blocks[#blocks + 1], open = open, nil
    elseif fence then
      open = { language = fence, lines = {}, line = number }
    elseif open then
      open.lines[#open.lines + 1] = line
    end
  end
  assert(not open, path .. ": a block is not closed")
  return blocks
end

-- What pkg-config tells a reader's compiler, of a library that is not installed.
local function packages()
  local build, source = os.getenv("CHIEF_BUILD") or "", command.source
  local libs = ("Libs: -L%s/lib -Wl,-rpath,%s/lib "):format(build, build)
  local head = "Version: 0\nDescription: for the manual\nName: "
  return {
    [".pc/libchief.pc"] = ("%slibchief\nCflags: -I%s/core/include\n%s-lchief\n"):format(head, source, libs),
    [".pc/libchief-lua.pc"] = ("%slibchief-lua\nRequires: libchief\nCflags: -I%s/bindings/lua/include\n%s-lchief-lua\n")
      :format(head, source, libs),
  }
end

---The folder of a document's files.
---@return string
function document.folder(blocks)
  local files = packages()
  files[".bin/chief"] = ('#!/bin/sh\nexec %s "$@"\n'):format(command.program)
  files[".bin/lua5.4"] = ('#!/bin/sh\nPATH=${PATH#*:} exec %s "$@"\n'):format(os.getenv("CHIEF_LUA") or "lua5.4")
  for _, block in ipairs(blocks) do
    local path = path_of(block)
    if path then
      assert(not files[path], ("%s is shown twice"):format(path))
      files[path] = block.text
    end
  end
  local root = app_folder.make(files)
  assert(os.execute(("chmod +x %s/.bin/*"):format(root)))
  return root
end

local function pattern_of(line)
  local plain = line:gsub(TIME, "\1"):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
  return "^" .. plain:gsub("\1", (TIME:gsub("%%", "%%%%"))):gsub("…", ".-") .. "$"
end

-- Reads on until a line is as expected; skipped: whether others may come before it.
local function read(pipe, expected, seen, skipped)
  local pattern = pattern_of(expected)
  for line in pipe:lines() do
    seen[#seen + 1] = line
    if line:find(pattern) then return end
    if not skipped then break end
  end
  error(("expected «%s», got:\n%s"):format(expected, table.concat(seen, "\n")), 0)
end

-- What does not end is killed, and then there is no end to be read. Nothing looks for leaks at its own end: the signals
-- of `timeout` would catch LeakSanitizer at it, which then waits for ever; other tests look.
local ENVIRONMENT = [[PATH="$PWD/.bin:$PATH" PKG_CONFIG_PATH="$PWD/.pc" ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"]]

local function run(root, typed, expected)
  local line = ([[cd %s && export %s && { timeout -s KILL %d sh -c %s 2>&1 &
    pid=$!; echo $pid; wait $pid; test $? -eq 137 || echo "the end"; }]]):format(app_folder.quote(root), ENVIRONMENT,
    LIMIT, app_folder.quote("exec 2>&1; " .. typed))
  local pipe <close> = assert(io.popen(line))
  local pid = pipe:read("l")
  local seen, skipped = { "$ " .. typed }, false
  for _, text in ipairs(expected) do
    if text == "…" then skipped = true
    elseif text == "^C" then assert(os.execute("kill -INT " .. pid)) -- timeout hands it on
    else
      read(pipe, text, seen, skipped)
      skipped = false
    end
  end
  read(pipe, "the end", seen, skipped)
end

---Types off what a console shows.
---@param root string
---@param block table
function document.type_off(root, block)
  local typed, expected
  for line in block.text:gmatch("([^\n]*)\n") do
    local next_one = line:match("^%$ (.*)$")
    if next_one then
      if typed then run(root, typed, expected) end
      typed, expected = next_one, {}
    else
      assert(expected, "a console begins with what is typed")
      expected[#expected + 1] = line
    end
  end
  run(root, assert(typed), expected)
end

---Runs a program that stands alone.
function document.run_program(root, block)
  local path = root .. "/.program.lua"
  local file = assert(io.open(path, "wb"))
  file:write(block.text)
  file:close()
  run(root, "lua5.4 .program.lua; echo exit code $?", { "…", "exit code 0" })
end

document.path_of = path_of
return document
