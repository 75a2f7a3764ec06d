-- Reads what `ctest -V` printed: lua5.4 tests/tally.lua LOG prints «PASSED FAILED», after the output of what failed.
-- A cmocka program, a busted spec and a script that prints TAP count with each of their own tests, any other
-- test as one. A test that ctest calls failed without itself saying that a part of it failed (a crash, a time
-- limit, a sanitizer) is one failure more.

local counters = {
  { "^%[  PASSED  %] (%d+) test", "passed" },
  { "^ ?(%d+) FAILED TEST", "failed" },
  { "^(%d+) success[es]* / (%d+) failures? / (%d+) errors?", "passed", "failed", "failed" },
  { "^ok ", "passed" },
  { "^not ok ", "failed" },
}

local function count_line(line, test)
  for _, counter in ipairs(counters) do
    local found = table.pack(line:match(counter[1]))
    if found[1] then
      for i = 1, #counter - 1 do
        local what = counter[i + 1]
        test[what] = test[what] + (math.tointeger(found[i]) or 1)
      end
    end
  end
end

-- Of a test that failed, the parts that did not fail are left out.
local function is_news(line)
  return not (line:find("^%[ RUN ") or line:find("^%[       OK ") or line:find("^ok "))
end

local function verdict(test, passed)
  if passed and test.passed + test.failed == 0 then test.passed = 1 end
  if not passed and test.failed == 0 then test.failed = 1 end
  if not passed then
    io.stderr:write("-- ", test.name, ": ", test.result, "\n", table.concat(test.lines, "\n"), "\n")
  end
end

local function read(lines)
  local tests, total = {}, { passed = 0, failed = 0 }
  local function get(number)
    tests[number] = tests[number] or { passed = 0, failed = 0, lines = {} }
    return tests[number]
  end
  for line in lines do
    local number, text = line:match("^(%d+): ?(.*)$")
    if number then
      local test = get(number)
      if text:find("^Test timeout computed") then -- the last line of ctest's own about the test
        test.lines = {}
      else
        if is_news(text) then test.lines[#test.lines + 1] = text end
        count_line(text, test)
      end
    end
    local name, result
    number, name, result = line:match("^ *%d+/%d+ Test +#(%d+): (%S+) [ .]*(.-) +%d+%.%d+ sec")
    if number then
      local test = get(number)
      test.name, test.result = name, result:gsub("^%**", "")
      verdict(test, result == "Passed")
      total.passed, total.failed = total.passed + test.passed, total.failed + test.failed
    end
  end
  return total
end

local total = read(io.lines(arg[1]))
print(total.passed .. " " .. total.failed)
