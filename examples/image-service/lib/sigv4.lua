-- AWS Signature Version 4: a pure function from a request to its Authorization header.
--
-- The time is given and never read, so that published test vectors can be checked.
local digest = require "openssl.digest"
local hmac = require "openssl.hmac"

local sigv4 = { EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

function sigv4.sha256(bytes)
  return hex(digest.new("sha256"):final(bytes))
end

local function mac(key, text)
  return hmac.new(key, "sha256"):final(text)
end

-- Percent-encodes as AWS counts it: everything but letters, digits and -._~ (and / in a path).
function sigv4.escape(text, keep_slash)
  return (text:gsub("[^%w%-._~]", function(char)
    if keep_slash and char == "/" then return char end
    return ("%%%02X"):format(char:byte())
  end))
end

-- `query` is a list of { name, value }.
function sigv4.query_string(query)
  local parts = {}
  for i, pair in ipairs(query or {}) do
    parts[i] = { sigv4.escape(pair[1]), sigv4.escape(pair[2] or "") }
  end
  table.sort(parts, function(a, b)
    if a[1] == b[1] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  for i, part in ipairs(parts) do parts[i] = part[1] .. "=" .. part[2] end
  return table.concat(parts, "&")
end

local function trimmed(value)
  return (value:gsub("^%s+", ""):gsub("%s+$", ""):gsub("%s+", " "))
end

-- The canonical header lines and the list of signed names.
local function canonical_headers(headers)
  local names, values = {}, {}
  for name, value in pairs(headers) do
    name = name:lower()
    names[#names + 1] = name
    values[name] = trimmed(value)
  end
  table.sort(names)
  local lines = {}
  for i, name in ipairs(names) do lines[i] = name .. ":" .. values[name] .. "\n" end
  return table.concat(lines), table.concat(names, ";")
end

-- `request` is { method, path, query, headers, payload_hash }; the path is not yet escaped.
function sigv4.canonical_request(request)
  local lines, signed = canonical_headers(request.headers)
  local canonical = table.concat({
    request.method, sigv4.escape(request.path, true), sigv4.query_string(request.query),
    lines, signed, request.payload_hash,
  }, "\n")
  return canonical, signed
end

function sigv4.string_to_sign(canonical, timestamp, scope)
  return table.concat({ "AWS4-HMAC-SHA256", timestamp, scope, sigv4.sha256(canonical) }, "\n")
end

local function signing_key(secret, date, region, service)
  return mac(mac(mac(mac("AWS4" .. secret, date), region), service), "aws4_request")
end

-- The Authorization header of a request. `credentials` is { access_key, secret_key, region, service }; `timestamp` is
-- like "20130524T000000Z".
function sigv4.authorization(request, credentials, timestamp)
  local date = timestamp:sub(1, 8)
  local service = credentials.service or "s3"
  local scope = table.concat({ date, credentials.region, service, "aws4_request" }, "/")
  local canonical, signed = sigv4.canonical_request(request)
  local key = signing_key(credentials.secret_key, date, credentials.region, service)
  local signature = hex(mac(key, sigv4.string_to_sign(canonical, timestamp, scope)))
  return ("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s")
    :format(credentials.access_key, scope, signed, signature)
end

return sigv4
