-- Finds a key that is written twice in one table of a Lua text. Lua keeps the second and says nothing, so that a worker
-- that was copied and not renamed would be lost. The text is one that compiles; what it does is not looked at.
local twice = {}

local SPACE = "^%s*()"
local OPENS = { ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

-- The place behind what begins with [[ or [==[ at `at`; nil when nothing such does.
local function behind_long(text, at)
  local level, from = text:match("^%[(=*)%[()", at)
  if not level then return nil end
  local _, last = text:find("]" .. level .. "]", from, true)
  return last and last + 1 or #text + 1
end

local function behind_short(text, at)
  local quote = text:sub(at, at)
  local from = at + 1
  while from <= #text do
    local c = text:sub(from, from)
    if c == quote then return from + 1 end
    from = from + (c == "\\" and 2 or 1)
  end
  return from
end

local function behind_comment(text, at)
  if text:sub(at, at + 1) ~= "--" then return nil end
  return behind_long(text, at + 2) or text:match("^[^\n]*()", at)
end

-- The next token as its text and the place behind it; a string is its literal.
local function next_token(text, at)
  at = text:match(SPACE, at)
  local behind = behind_comment(text, at)
  while behind do
    at = text:match(SPACE, behind)
    behind = behind_comment(text, at)
  end
  if at > #text then return nil end
  behind = text:match("^[%a_][%w_]*()", at) or text:match("^%.?%d[%w.]*()", at) or behind_long(text, at)
    or text:find("^[\"']", at) and behind_short(text, at) or text:match("^[=~<>]=()", at) or at + 1
  return text:sub(at, behind - 1), behind, at
end

local function line_of(text, at)
  local _, breaks = text:sub(1, at - 1):gsub("\n", "")
  return breaks + 1
end

local function is_name(token) return token:find("^[%a_]") and not OPENS[token] and not CLOSES[token] end

-- The key that an entry of a table begins with here: name = … or ["name"] = …
local function key_at(text, token, behind)
  local name, after = token, behind
  if token == "[" then
    name, after = next_token(text, behind)
    local quoted = name and name:match("^[\"'](.*)[\"']$")
    local bracket
    bracket, after = next_token(text, after or behind)
    if not quoted or bracket ~= "]" then return nil end
    name = quoted
  elseif not is_name(token) then
    return nil
  end
  return next_token(text, after) == "=" and name or nil
end

---Each key that one table has twice: its name, the line of the second and of the first.
---@param text string
---@return { key: string, line: integer, first: integer }[]
function twice.find(text)
  local found, frames, at_entry = {}, {}, false
  local token, behind, at = next_token(text, 1)
  while token do
    local frame = frames[#frames]
    local key = at_entry and frame and frame.keys and key_at(text, token, behind)
    if key then
      local line, first = line_of(text, at), frame.keys[key]
      if first then found[#found + 1] = { key = key, line = line, first = first } end
      frame.keys[key] = first or line
    end
    at_entry = token == "{" or token == "," or token == ";"
    if token == "{" then frames[#frames + 1] = { keys = {} }
    elseif OPENS[token] or token == "(" then frames[#frames + 1] = {}
    elseif CLOSES[token] or token == "}" or token == ")" then frames[#frames] = nil end
    token, behind, at = next_token(text, behind)
  end
  return found
end

return twice
