-- Makes chief-app(5) of the chapter docs/app-file.md, so that the two cannot differ:
--   lua5.4 generate.lua app-file.md > chief-app.5
-- It knows what the manual's chapters use: headings, paragraphs, tables, blocks of code, `code`, **bold**, links.

local function escape(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("^([.'])", "\\&%1"))
end

-- What is in a line: code and bold in bold, of a link its text.
local function inline(text)
  text = text:gsub("%[([^%]]+)%]%([^)]+%)", "%1")
  local parts, position = {}, 1
  for from, code, to in text:gmatch("()`([^`]+)`()") do
    parts[#parts + 1] = escape(text:sub(position, from - 1):gsub("%*%*", ""))
    parts[#parts + 1] = "\\fB" .. escape(code) .. "\\fR"
    position = to
  end
  parts[#parts + 1] = escape(text:sub(position):gsub("%*%*", ""))
  return table.concat(parts)
end

local function cells(line)
  local found = {}
  for cell in line:gsub("^|", ""):gmatch("%s*(.-)%s*|") do found[#found + 1] = cell end
  return found
end

local writer = {}
writer.__index = writer

function writer:put(line) self[#self + 1] = line end

-- A row is a tag, what it says and, where there are three columns, its default in between.
function writer:table(lines)
  for i = 3, #lines do
    local row = cells(lines[i])
    self:put(".TP")
    self:put(inline(row[1]))
    self:put(inline(row[#row]:gsub("^%l", string.upper)) .. (row[#row]:find("[.:]$") and "" or "."))
    if #row == 3 and row[2] ~= "" then self:put("Default: " .. inline(row[2]) .. ".") end
  end
end

function writer:code(lines)
  self:put(".PP\n.nf\n.RS")
  for _, line in ipairs(lines) do self:put(escape(line)) end
  self:put(".RE\n.fi")
end

local function is_heading(line) return line:find("^#+ ") ~= nil end
local function is_row(line) return line:find("^|") ~= nil end
local function is_fence(line) return line:find("^```") ~= nil end
local function is_text(line) return line ~= "" and not is_heading(line) and not is_row(line) and not is_fence(line) end

-- The lines from `i` on for which `wanted` holds, and the number of the one after.
local function take(lines, i, wanted)
  local taken = {}
  while lines[i] and wanted(lines[i]) do
    taken[#taken + 1] = lines[i]
    i = i + 1
  end
  return taken, i
end

local function convert(lines)
  local out, i, taken = setmetatable({}, writer), 1
  while lines[i] do
    local line = lines[i]
    if is_heading(line) then
      out:put((line:find("^# ") and ".SH DESCRIPTION" or ".SH " .. escape(line:match("^#+ (.*)"):upper())))
      i = i + 1
    elseif is_row(line) then
      taken, i = take(lines, i, is_row)
      out:table(taken)
    elseif is_fence(line) then
      taken, i = take(lines, i + 1, function(other) return not is_fence(other) end)
      out:code(taken)
      i = i + 1
    elseif is_text(line) then
      taken, i = take(lines, i, is_text)
      out:put(".PP\n" .. inline(table.concat(taken, "\n")):gsub("\n([.'])", "\n\\&%1"))
    else
      i = i + 1
    end
  end
  return table.concat(out, "\n")
end

local lines = {}
for line in io.lines(arg[1]) do lines[#lines + 1] = line end
print('.\\" Made of docs/app-file.md by docs/man/generate.lua.\n.TH CHIEF-APP 5 "" "chief" "File Formats"\n.SH NAME\n'
  .. "chief\\-app \\- what an application of chief says of itself")
print(convert(lines))
print(".SH SEE ALSO\n.BR chief (1)")
