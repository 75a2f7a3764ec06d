-- The store in an S3-compatible service, with path-style addresses (ENDPOINT/BUCKET/KEY).
--
-- One call is one attempt: who calls decides whether to try again. The code of a failure says whether that may help:
-- "unavailable" passes by itself, "denied" needs a person, "missing" is a file that is not there to be sent.
local http_request = require "http.request"
local sigv4 = require "lib.sigv4"
local abandon = require("lib.stream").abandon

local S3 = {}
S3.__index = S3
S3.__name = "image-service.s3"

local PIECE = 64 * 1024
local needed = { "endpoint", "bucket", "access_key", "secret_key" }

function S3.open(options)
  for _, name in ipairs(needed) do
    if (options[name] or "") == "" then
      return nil, ("S3 needs S3_%s as well"):format(name:upper()), "not_found"
    end
  end
  local scheme, authority, prefix = options.endpoint:match("^(https?)://([^/]+)(.-)/*$")
  if not scheme then
    return nil, ("S3_ENDPOINT should be like http://host:port, got %s"):format(options.endpoint), "not_found"
  end
  return setmetatable({
    scheme = scheme, authority = authority, prefix = prefix, bucket = options.bucket,
    timeout = options.timeout or 60,
    credentials = {
      access_key = options.access_key, secret_key = options.secret_key, region = options.region or "us-east-1",
    },
  }, S3)
end

local function read_all(path)
  local handle, message = io.open(path, "rb")
  if not handle then return nil, message, "missing" end
  local bytes = handle:read("a")
  handle:close()
  return bytes
end

-- A signed request, ready to be sent.
function S3:request(method, key, headers, payload)
  local path = ("%s/%s/%s"):format(self.prefix, self.bucket, key)
  local timestamp = os.date("!%Y%m%dT%H%M%SZ")
  local hash = payload and sigv4.sha256(payload) or sigv4.EMPTY
  headers.host = self.authority
  headers["x-amz-date"] = timestamp
  headers["x-amz-content-sha256"] = hash
  local authorization = sigv4.authorization(
    { method = method, path = path, headers = headers, payload_hash = hash }, self.credentials, timestamp)
  local request = http_request.new_from_uri(("%s://%s%s"):format(self.scheme, self.authority, sigv4.escape(path, true)))
  request.version = 1.1
  request.follow_redirects = false
  request.headers:upsert(":method", method)
  request.headers:upsert("authorization", authorization)
  for name, value in pairs(headers) do
    if name ~= "host" then request.headers:upsert(name, value) end
  end
  if payload then
    request:set_body(payload)
    -- It would cost a round trip, and a refusal is rare.
    request.headers:delete("expect")
  end
  return request
end

local function is_passing(status)
  return status >= 500 or status == 408 or status == 425 or status == 429
end

-- What a service said is wrong, from its XML: short, for people.
local function explain(status, body)
  local code = body and body:match("<Code>(.-)</Code>")
  local text = body and body:match("<Message>(.-)</Message>")
  return ("S3 answered %d%s%s"):format(status, code and " " .. code or "", text and ": " .. text or "")
end

local function failure(stream, status)
  local body = stream:get_body_as_string(5)
  abandon(stream)
  local code = status == 404 and "not_found" or is_passing(status) and "unavailable" or "denied"
  return nil, explain(status, body), code
end

-- Sends a request: the status and the stream, with the failures of the network as "unavailable".
local function send(request, timeout)
  local headers, stream = request:go(timeout)
  if not headers then return nil, "S3 cannot be reached: " .. tostring(stream), "unavailable" end
  return tonumber(headers:get(":status")), stream, headers
end

function S3:put(key, path, media_type)
  local bytes, missing, code = read_all(path)
  if not bytes then return nil, missing, code end
  local status, stream, headers = send(self:request("PUT", key, { ["content-type"] = media_type }, bytes), self.timeout)
  if not status then return nil, stream, headers end
  if status ~= 200 then return failure(stream, status) end
  abandon(stream)
  return true
end

-- A reader like the folder's.
function S3:read(key)
  local status, stream, headers = send(self:request("GET", key, {}), self.timeout)
  if not status then return nil, stream, headers end
  if status ~= 200 then return failure(stream, status) end
  return {
    length = math.tointeger(tonumber(headers:get("content-length"))),
    next = function() return stream:get_body_chars(PIECE, self.timeout) end,
    close = function() abandon(stream) end,
  }
end

return S3
