-- Answers of the service: made as plain tables { status, headers, body | reader }, written to a stream in one place.
local http_headers = require "http.headers"
local json = require "lib.json"

local answer = {}

function answer.bytes(status, media_type, body, headers)
  headers = headers or {}
  headers["content-type"] = media_type
  return { status = status, headers = headers, body = body }
end

function answer.json(status, value, headers)
  return answer.bytes(status, "application/json", json.encode(value) .. "\n", headers)
end

function answer.json_list(status, name, list)
  return answer.bytes(status, "application/json", json.encode_list(name, list) .. "\n")
end

function answer.error(status, message, headers)
  return answer.json(status, { error = message }, headers)
end

-- A picture that is read while it is sent. `reader` is { length, next, close }.
function answer.reader(media_type, reader)
  local headers = {
    ["content-type"] = media_type,
    -- A picture never changes under its id.
    ["cache-control"] = "public, max-age=31536000, immutable",
  }
  return { status = 200, headers = headers, reader = reader }
end

local function build_headers(made, close)
  local headers = http_headers.new()
  headers:append(":status", tostring(made.status))
  headers:append("x-content-type-options", "nosniff")
  for name, value in pairs(made.headers) do headers:append(name, value) end
  local length = made.body and #made.body or made.reader and made.reader.length
  if length then headers:append("content-length", ("%d"):format(length)) end
  if close then headers:append("connection", "close") end
  return headers
end

-- A reader that breaks off leaves the body short of its Content-Length, which tells the client.
local function write_reader(stream, reader, timeout)
  for piece in reader.next do
    local ok, message = stream:write_chunk(piece, false, timeout)
    if not ok then return nil, message end
  end
  return stream:write_chunk("", true, timeout)
end

local function write_body(stream, made, timeout)
  if made.reader then return write_reader(stream, made.reader, timeout) end
  return stream:write_chunk(made.body, true, timeout)
end

-- Writes an answer; `timeout` bounds each step and not the whole, since a large picture on a slow line takes its time.
-- `options` is { head, close, timeout }.
function answer.write(stream, made, options)
  local headers = build_headers(made, options.close)
  local bodiless = options.head or not (made.body or made.reader)
  local ok, message = stream:write_headers(headers, bodiless, options.timeout)
  if ok and not bodiless then ok, message = write_body(stream, made, options.timeout) end
  if made.reader then made.reader.close() end
  return ok, message
end

-- For a request whose first line could not be read, when lua-http has no stream to answer on yet.
function answer.write_raw(socket, made, timeout)
  local reason = ({ [400] = "Bad Request", [408] = "Request Timeout" })[made.status]
  return socket:xwrite(("HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s")
    :format(made.status, reason, made.headers["content-type"], #made.body, made.body), "n", timeout)
end

return answer
