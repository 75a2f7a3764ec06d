-- Makes the thumbnail of each uploaded picture, or refuses it with a reason.
--
-- It begins with what an earlier run of the service accepted and did not finish. Of several resizers each has a share
-- of that, so that no two work on one picture; what this run accepts comes by the queue, which gives it to one.
require "lib.paths"
local file = require "file_native"
local image = require "image_native"
local Records = require "lib.records"

local M = { restart_on_fail = true }

-- A picture that makes the worker fail this often is refused, so that the ones behind it are served.
local TRIES = 3

-- By the last digits of the id, which are random.
local function share_of(ctx, pending)
  local number, of, share = math.tointeger(ctx.name:match("/(%d+)$")), ctx.args.resizers, {}
  if not number then return pending end
  for _, record in ipairs(pending) do
    if tonumber(record.id:sub(-6), 16) % of == number - 1 then share[#share + 1] = record end
  end
  return share
end

function M.init(ctx)
  local records, message = Records.open(ctx.args.data_dir, ctx.name)
  if not records then return nil, message end
  local pending
  pending, message = records:pending(ctx.args.run)
  if not pending then return nil, message end
  return {
    records = records, pending = share_of(ctx, pending),
    uploads = ctx:channel("uploads"), thumbs = ctx:channel("thumbs"),
    options = { side = ctx.args.side, max_pixels = ctx.args.max_pixels }, log = ctx.log,
  }
end

local function read_all(path)
  local handle = io.open(path, "rb")
  if not handle then return nil end
  local bytes = handle:read("a")
  handle:close()
  return bytes
end

function M:refuse(record, reason)
  self.log:warn("refused", { id = record.id, reason = reason })
  return self.records:refuse(record, reason)
end

-- The thumbnail of a picture; false when the picture was refused; nil and a message when the worker cannot go on.
function M:resize(record, bytes, deliveries)
  local ok, thumbnail, reason, code = pcall(image.thumbnail, bytes, self.options)
  if ok and thumbnail then return thumbnail end
  if not ok then reason, code = thumbnail, "raised" end
  if (code == "raised" or code == "no_memory") and deliveries < TRIES then return nil, reason end
  local refused, message = self:refuse(record, reason)
  if not refused then return nil, message end
  return false
end

function M:process(record, deliveries)
  local bytes = read_all(self.records:incoming(record))
  if bytes then
    local thumbnail, message = self:resize(record, bytes, deliveries)
    if not thumbnail then return thumbnail, message end
    local saved
    saved, message = file.save(self.records:thumb(record), thumbnail)
    if not saved then return nil, message end
    self.log:info("resized", { id = record.id })
  end
  -- Without the file, an earlier run has stored it and was cut off before noting that; the uploader sees to it.
  return self.thumbs:send({ id = record.id })
end

-- A job may come twice (from the queue and from what was left), so the record says whether there is something to do.
function M:handle(id, deliveries)
  local record = self.records:get(id)
  if not record or record.state ~= "accepted" then return true end
  local ok, message = self:process(record, deliveries)
  if ok == nil then return nil, ("picture %s: %s"):format(id, message) end
  return true
end

-- On a stop the rest stays for the next start.
function M:catch_up(ctx)
  if #self.pending > 0 then self.log:info("finishing what was accepted before", { pictures = #self.pending }) end
  for _, record in ipairs(self.pending) do
    if ctx:done() then return true end
    local ok, message = self:handle(record.id, 1)
    if not ok then return nil, message end
  end
  return true
end

function M.run(self, ctx)
  local ok, message = self:catch_up(ctx)
  if not ok then return nil, message end
  for job, info in self.uploads:iter() do
    ok, message = self:handle(job.id, info and info.deliveries or 1)
    if not ok then return nil, message end
  end
  return true
end

return M
