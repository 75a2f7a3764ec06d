-- What the specs of the image service share: its modules on the path, a folder to work in, and stand-ins for what chief
-- gives a worker.
local _, own_path = ...
local root = own_path and own_path:match("^(.*)/tests/image%-service/[^/]*$") or "."
package.path = root .. "/examples/image-service/?.lua;" .. package.path
require "lib.paths"

local helper = { root = root }

-- A fresh folder; remove_folder takes it away.
function helper.new_folder()
  local pipe = assert(io.popen("mktemp -d", "r"))
  local path = pipe:read("l")
  pipe:close()
  return path
end

function helper.remove_folder(path)
  os.execute("rm -rf '" .. path .. "'")
end

function helper.read(path)
  local handle = io.open(path, "rb")
  if not handle then return nil end
  local bytes = handle:read("a")
  handle:close()
  return bytes
end

local function silent_log()
  local log = { lines = {} }
  for _, level in ipairs { "debug", "info", "warn", "error" } do
    log[level] = function(self, message) self.lines[#self.lines + 1] = level .. " " .. message end
  end
  return log
end

-- A channel that is a list: iter takes what is queued and ends, as on a stopped worker.
function helper.channel(values)
  local channel = { queue = values or {} }
  function channel:send(value) self.queue[#self.queue + 1] = value return true end
  channel.try_send = channel.send
  function channel:len() return #self.queue end
  function channel:iter()
    return function()
      local value = table.remove(self.queue, 1)
      if value ~= nil then return value, { deliveries = 1 } end
    end
  end
  return channel
end

-- A context whose stop is a pipe that the spec closes with ctx:stop().
function helper.context(args, channels)
  local socket = require "cqueues.socket"
  local here, there = socket.pair()
  local ctx = { name = "a-worker", args = args, log = silent_log(), stopped = false, slept = {} }
  function ctx.channel(_, name) return assert(channels[name], name) end
  function ctx:done() return self.stopped end
  function ctx.fd() return here:pollfd() end
  function ctx:sleep(seconds)
    self.slept[#self.slept + 1] = seconds
    if self.on_sleep then self.on_sleep(#self.slept) end
    return not self.stopped
  end
  function ctx:ready() self.is_ready = true end
  function ctx:stop()
    self.stopped = true
    there:shutdown("rw")
  end
  return ctx
end

-- An instance as chief makes it: what init returns, with the module's methods.
function helper.instance(module, ctx)
  local made, message = module.init(ctx)
  return made and setmetatable(made, { __index = module }), message
end

return helper
