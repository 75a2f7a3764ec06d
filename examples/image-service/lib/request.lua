-- One HTTP request as the service needs it: its line and headers checked, its body read piece by piece against limits.
--
-- Failures come back as answers (lib/answer.lua), or as nil where there is nobody left to answer.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local answer = require "lib.answer"

local Request = {}
Request.__index = Request
Request.__name = "image-service.request"

local function is_gone(code)
  return code == nil or code == errno.EPIPE or code == errno.ECONNRESET or code == errno.ENOTCONN
end

local function header_failure(message, code)
  if code == errno.ETIMEDOUT then return answer.error(408, "the request took too long to arrive") end
  if is_gone(code) and not message then return nil end
  if code == errno.E2BIG then return answer.error(431, "the request has too many headers") end
  return answer.error(400, "this is not a request we understand")
end

-- A body's length must be known before it is read: an unbounded chunk would be held in memory whole.
local function body_length(headers)
  if headers:has("transfer-encoding") then
    return nil, answer.error(411, "send the picture with a Content-Length, not in chunks")
  end
  local text = headers:get("content-length")
  for _, other in ipairs(headers:get_as_sequence("content-length")) do
    if other ~= text then return nil, answer.error(400, "the request has two different Content-Lengths") end
  end
  if text == nil then return false end
  if not text:find("^%d+$") or #text > 15 then
    return nil, answer.error(400, "Content-Length should be a whole number, got " .. text)
  end
  return tonumber(text)
end

-- Reads the line and the headers. Returns the request, else nil and an answer (or nil: the client has left).
function Request.read(stream, limits)
  local headers, message, code = stream:get_headers(limits.idle_timeout)
  if not headers then return nil, header_failure(message, code) end
  local path, query = headers:get(":path"):match("^([^?#]*)%??([^#]*)")
  local self = setmetatable({
    stream = stream, limits = limits, headers = headers,
    method = headers:get(":method"), path = path, query = query,
  }, Request)
  local length, refusal = body_length(headers)
  if length == nil then return nil, refusal end
  self.length = length
  return self
end

-- The value of a query parameter, as it stands there; nil without it.
function Request:parameter(name)
  return ("&" .. self.query):match("&" .. name .. "=([^&]*)")
end

-- Tells a client that waits for it to go on and send the body.
function Request:continue()
  local expect = self.headers:get("expect")
  if expect and expect:lower() == "100-continue" then self.stream:write_continue(self.limits.idle_timeout) end
end

function Request:body_failure(received, code)
  if code == errno.ETIMEDOUT then
    return answer.error(408, ("the body stopped arriving after %d of %d bytes"):format(received, self.length))
  end
  return answer.error(400, ("the body ended after %d of %d bytes"):format(received, self.length))
end

-- True when what follows the body cannot be another request: the client sent more than it said.
function Request:has_excess()
  local socket = self.stream.connection.socket
  local next_bytes = socket and socket:xread(-8, "b", 0)
  if not next_bytes then return false end
  socket:unget(next_bytes)
  return not (next_bytes:find("^[\r\n]*%u+ ") or next_bytes:find("^[\r\n]*%u*$"))
end

-- Gives the body to `take(piece)` as it arrives. Returns true, else nil and an answer; `take` may refuse with one too.
function Request:each_piece(take)
  local received, deadline = 0, cqueues.monotime() + self.limits.request_timeout
  self:continue()
  while received < self.length do
    local wait = math.min(self.limits.idle_timeout, deadline - cqueues.monotime())
    local piece, _, code = self.stream:get_next_chunk(math.max(wait, 0))
    if not piece then return nil, self:body_failure(received, code) end
    received = received + #piece
    local ok, refusal = take(piece)
    if not ok then return nil, refusal end
  end
  self.excess = self:has_excess()
  if self.excess then
    return nil, answer.error(400, ("the body is longer than its Content-Length of %d"):format(self.length))
  end
  return true
end

return Request
