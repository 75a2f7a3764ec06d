-- Each block of code in the README and in the manual works when it is typed off.
local app_folder = require "app_folder"
local source = os.getenv("CHIEF_SOURCE") or "."
local document = dofile(source .. "/tests/cli/document.lua")

-- Shell commands that take long or install something: the tests that run them.
local RUN_ELSEWHERE = {
  ["./dev run"] = "tests/image-service/run.sh",
  ["./dev test"] = ".ci/run",
  ["luarocks --lua-version 5.4 make --deps-mode=none"] = "tests/install/rock_test.sh",
  ["cmake --preset release && cmake --build build/release && cmake --install build/release"] =
    "tests/install/cmake_test.sh",
  ["dpkg-buildpackage -us -uc -b && apt install ../*chief*.deb"] = "tests/packages/debian_test.sh",
}

local function documents()
  local list = { "README.md" }
  local pipe <close> = assert(io.popen("cd " .. app_folder.quote(source) .. " && ls docs/*.md"))
  for path in pipe:lines() do
    if path ~= "docs/architecture.md" and path ~= "docs/parity.md" then list[#list + 1] = path end
  end
  return list
end

local function check_shell(block)
  for line in block.text:gmatch("[^\n]+") do
    local typed = line:gsub("%s*#.*$", "")
    if typed ~= "" then
      local test = assert(RUN_ELSEWHERE[typed], "nobody runs: " .. typed)
      assert(io.open(source .. "/" .. test)):close()
    end
  end
end

local KINDS = {
  sh = function(_, block) check_shell(block) end,
  console = function(root, block)
    local port = block.text:match("127%.0%.0%.1:%d+")
    if port then return assert(io.open(source .. "/tests/image-service/service_test.mjs")):close() end
    document.type_off(root, block)
  end,
  lua = function(root, block) if not document.path_of(block) then document.run_program(root, block) end end,
  c = function(_, block) assert(document.path_of(block), "a C program begins with a comment that is its path") end,
  ini = function() end,
  [""] = function() end,
}

-- What is compiled here would have to be linked with the sanitizer's own library; and under ThreadSanitizer no signal
-- reaches Lua code, so nobody is interrupted there.
local function cannot_run(block)
  local sanitizer = os.getenv("CHIEF_SANITIZE") or ""
  if sanitizer == "thread" and (block.text:find("watchdog", 1, true) or block.text:find("its grace", 1, true)) then
    return true
  end
  return sanitizer ~= "" and block.text:find("pkg-config", 1, true) ~= nil
end

for _, path in ipairs(documents()) do
  describe(path, function()
    local blocks = document.blocks(path)
    local root
    setup(function() root = document.folder(blocks) end)
    teardown(function() app_folder.remove(root) end)

    for _, block in ipairs(blocks) do
      it(("line %d: %s"):format(block.line, block.language), function()
        local run = assert(KINDS[block.language], "nobody runs a block of " .. block.language)
        if cannot_run(block) then return pending("under this sanitizer") end
        run(root, block)
      end)
    end
  end)
end
