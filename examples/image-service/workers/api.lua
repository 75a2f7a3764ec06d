-- The HTTP side: a server on its own cqueues loop, which hears the stop through ctx:fd().
--
-- On a stop it closes the listening socket at once, lets the requests in flight end, and returns; from then on no
-- picture comes in, and the workers behind it drain what was accepted.
require "lib.paths"
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local http_server = require "http.server"
local answer = require "lib.answer"
local Pictures = require "lib.pictures"
local Records = require "lib.records"
local Request = require "lib.request"
local routes = require "lib.routes"
local store = require "lib.store"
local abandon = require("lib.stream").abandon
local paths = require "lib.paths"

local M = { restart_on_fail = true, ready = true }

-- How long and how much of a refused body is read away, so that the client gets to see the answer.
local LINGER_SECONDS, LINGER_BYTES, LINGER_PIECE = 2, 64 * 1024 * 1024, 64 * 1024

-- The page brings all it needs, so nothing may come from elsewhere.
local page_policy = table.concat({
  "default-src 'none'", "img-src 'self' data:", "connect-src 'self'", "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
}, "; ")

local function read_page()
  local handle = assert(io.open(paths.folder .. "/page/index.html", "rb"))
  local page = handle:read("a")
  handle:close()
  return page
end

function M.init(ctx)
  local records, message = Records.open(ctx.args.data_dir, ctx.name)
  if not records then return nil, message end
  local opened
  opened, message = store.open(ctx.args.data_dir)
  if not opened then return nil, message end
  local pictures = Pictures.new {
    records = records, store = opened, uploads = ctx:channel("uploads"), args = ctx.args, log = ctx.log,
  }
  local page = read_page()
  pictures.page = function()
    return answer.bytes(200, "text/html; charset=utf-8", page, { ["content-security-policy"] = page_policy })
  end
  return { pictures = pictures, records = records, in_flight = 0, stopping = false }
end

-- Reads from the socket and not from the stream, whose length may be what was wrong.
local function linger(stream)
  local socket = stream.connection.socket
  local deadline, read = cqueues.monotime() + LINGER_SECONDS, 0
  while read < LINGER_BYTES do
    local wait = deadline - cqueues.monotime()
    local piece = socket and wait > 0 and socket:xread(-LINGER_PIECE, "b", wait)
    if not piece then return end
    read = read + #piece
  end
end

function M:handle(request, log)
  local ok, made = xpcall(routes.dispatch, debug.traceback, self.pictures, request)
  if ok then return made end
  log:error("a request failed", { method = request.method, path = request.path, error = made })
  return answer.error(500, "the service failed to answer; the reason is in its log")
end

-- Answers a request that could not be understood.
local function write_refusal(stream, made, timeout)
  if stream.state == "idle" then
    answer.write_raw(stream.connection.socket, made, timeout)
  else
    answer.write(stream, made, { close = true, timeout = timeout })
    linger(stream)
  end
end

function M:serve(stream, ctx)
  local timeout = ctx.args.idle_timeout
  local request, refusal = Request.read(stream, ctx.args)
  if not request then
    if refusal then write_refusal(stream, refusal, timeout) end
    return
  end
  local made = self:handle(request, ctx.log)
  local unread = stream.state == "open" or request.excess
  local ok, message = answer.write(stream, made, {
    head = request.method == "HEAD", close = self.stopping or unread, timeout = timeout,
  })
  if ok and unread then linger(stream) end
  ctx.log:debug("answered", {
    method = request.method, path = request.path, status = made.status, error = not ok and tostring(message) or nil,
  })
end

function M:on_stream(stream, ctx)
  self.in_flight = self.in_flight + 1
  local ok, message = xpcall(self.serve, debug.traceback, self, stream, ctx)
  abandon(stream)
  self.in_flight = self.in_flight - 1
  if not ok then ctx.log:error("a connection failed", { error = message }) end
end

function M:listen(ctx, loop)
  local args = ctx.args
  local server, message, code = http_server.listen {
    cq = loop, host = args.host, port = args.port, tls = false, version = 1.1, reuseaddr = true,
    max_concurrent = args.max_connections, connection_setup_timeout = args.idle_timeout,
    intra_stream_timeout = args.idle_timeout,
    onstream = function(_, stream) self:on_stream(stream, ctx) end,
    onerror = function(_, _, operation, err) ctx.log:debug("connection", { operation = operation, error = err }) end,
  }
  local ok = server ~= nil
  if ok then ok, message, code = server:listen() end
  if ok then return server end
  local hint = code == errno.EADDRINUSE and "; PORT chooses another port" or ""
  return nil, ("cannot listen on %s:%d: %s%s"):format(args.host, args.port, message, hint)
end

-- Ends the accepting: the loop of the server sees that its socket is gone.
local function close_listener(server)
  server:pause()
  server.socket:close()
  server.socket = nil
  server.pause_cond:signal()
end

-- Waits for the stop, then for the requests in flight, but no longer than the drain time.
function M:await_stop(ctx, server)
  cqueues.poll({ pollfd = ctx:fd(), events = "r" })
  self.stopping = true
  close_listener(server)
  local deadline = cqueues.monotime() + ctx.args.drain
  while self.in_flight > 0 and cqueues.monotime() < deadline do cqueues.sleep(0.01) end
  if self.in_flight > 0 then ctx.log:warn("gave up requests that did not end", { requests = self.in_flight }) end
  self.done = true
end

function M.run(self, ctx)
  local loop = cqueues.new()
  local server, message = self:listen(ctx, loop)
  if not server then return nil, message end
  self.records:sweep()
  loop:wrap(function() self:await_stop(ctx, server) end)
  ctx:ready()
  ctx.log:info("listening", { url = ("http://%s:%d/"):format(ctx.args.host, ctx.args.port) })
  while not self.done do
    local ok, err = loop:step()
    if not ok then return nil, err end
  end
  return true
end

return M
