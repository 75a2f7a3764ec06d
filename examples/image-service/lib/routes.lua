-- Which function answers which path and method.
local answer = require "lib.answer"

local routes = {}

local table_of_routes = {
  { pattern = "^/$", GET = "page" },
  { pattern = "^/images$", GET = "list", POST = "add" },
  { pattern = "^/images/([^/]+)$", GET = "original" },
  { pattern = "^/images/([^/]+)/thumb$", GET = "thumb" },
}

local function allowed(route)
  return route.POST and "GET, HEAD, OPTIONS, POST" or "GET, HEAD, OPTIONS"
end

local function find(path)
  for _, route in ipairs(table_of_routes) do
    local capture = path:match(route.pattern)
    if capture then return route, capture end
  end
end

-- Answers `request` with a method of `handlers`.
function routes.dispatch(handlers, request)
  local route, capture = find(request.path)
  if not route then return answer.error(404, "there is nothing at " .. request.path) end
  local method = request.method == "HEAD" and "GET" or request.method
  if method == "OPTIONS" then return { status = 204, headers = { allow = allowed(route) } } end
  local name = (method == "GET" or method == "POST") and route[method]
  if not name then
    local message = ("%s does not answer %s"):format(request.path, request.method)
    return answer.error(405, message, { allow = allowed(route) })
  end
  return handlers[name](handlers, request, capture)
end

return routes
