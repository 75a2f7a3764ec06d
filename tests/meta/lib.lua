-- What the tests about the project share: its files, and TAP. A check is a function that returns a list of
-- complaints; each is first shown something wrong, so that one that can no longer fail is itself a failure.

local lib = { root = os.getenv("CHIEF_SOURCE") or "." }

function lib.read(path)
  local file = assert(io.open(lib.root .. "/" .. path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

function lib.exists(path)
  local file = io.open(lib.root .. "/" .. path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function lines_of(command)
  local lines, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

-- The project's files whose path matches the Lua pattern, ignored ones left out.
function lib.files(pattern)
  local found = {}
  local list = "cd '" .. lib.root .. "' && { git ls-files -co --exclude-standard 2>/dev/null ||"
    .. " find . \\( -name build -o -name .git -o -name node_modules \\) -prune -o -type f -print |"
    .. " sed 's,^\\./,,'; } | sort -u"
  for _, path in ipairs(lines_of(list)) do
    if path:find(pattern) and lib.exists(path) then found[#found + 1] = path end
  end
  return found
end

local count, failures = 0, 0

local function report(ok, name, complaints)
  count = count + 1
  if not ok then failures = failures + 1 end
  print((ok and "ok " or "not ok ") .. count .. " - " .. name)
  for _, complaint in ipairs(complaints) do print("  # " .. complaint) end
end

function lib.accepts(name, complaints) report(#complaints == 0, name, complaints) end

function lib.refuses(name, complaints) report(#complaints > 0, "self-check: " .. name, {}) end

function lib.finish()
  print("1.." .. count)
  os.exit(failures == 0 and count > 0)
end

return lib
