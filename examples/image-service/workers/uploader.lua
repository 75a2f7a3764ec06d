-- Stores each picture and its thumbnail, then notes that in its record.
--
-- A store that cannot be reached is tried again, more and more slowly. A stop does not end that at once: for the drain
-- time it goes on. What could not be stored then stays in the data folder, and the next start finishes it.
require "lib.paths"
local cqueues = require "cqueues"
local Records = require "lib.records"
local store = require "lib.store"

local M = { restart_on_fail = true }

local FIRST_DELAY, LONGEST_DELAY = 0.2, 5
local PASSES = { unavailable = "the store is not available", no_space = "there is no room" }

function M.init(ctx)
  local records, message = Records.open(ctx.args.data_dir, ctx.name)
  if not records then return nil, message end
  local opened
  opened, message = store.open(ctx.args.data_dir)
  if not opened then return nil, message end
  return { records = records, store = opened, thumbs = ctx:channel("thumbs"), log = ctx.log, drain = ctx.args.drain }
end

-- When the drain time ends, counted from the moment this worker first sees the stop; nil before that.
function M:deadline(ctx)
  if not self.stop_seen and ctx:done() then self.stop_seen = cqueues.monotime() end
  return self.stop_seen and self.stop_seen + self.drain
end

-- Waits before the next attempt: false when there is no time left for one. A stop ends the wait and not the attempts.
function M:pause(ctx, seconds)
  local deadline = self:deadline(ctx)
  if not deadline then
    ctx:sleep(seconds)
    return true
  end
  if cqueues.monotime() + seconds > deadline then return false end
  cqueues.sleep(seconds)
  return true
end

-- Runs one attempt in a loop of its own, so that a stop can shorten it to the drain time.
function M:attempt(ctx, put)
  local loop, result = cqueues.new(), nil
  loop:wrap(function() result = table.pack(put()) end)
  loop:wrap(function()
    if not ctx:done() then cqueues.poll({ pollfd = ctx:fd(), events = "r" }) end
  end)
  while not result do
    local deadline = self:deadline(ctx)
    local left = deadline and deadline - cqueues.monotime()
    if left and left <= 0 then return nil, "the service is stopping", "unavailable" end
    local ok, message = loop:step(left)
    if not ok then return nil, message, "io" end
  end
  return table.unpack(result, 1, result.n)
end

-- Tries something until it succeeds or fails with what does not pass by itself. "denied" and the like are not tried
-- again here: the worker fails with them, which shows in its state, and its job waits for the restart.
function M:persist(ctx, what, try)
  local delay = FIRST_DELAY
  while true do
    local ok, message, code = try()
    if ok or not PASSES[code] then return ok, message, code end
    self.log:warn(PASSES[code] .. ", trying again", { what = what, error = message, seconds = delay })
    if not self:pause(ctx, delay * (0.8 + 0.4 * math.random())) then return nil, message, code end
    delay = math.min(delay * 2, LONGEST_DELAY)
  end
end

-- Stores one file.
function M:put(ctx, key, path, media_type)
  return self:persist(ctx, key, function()
    return self:attempt(ctx, function() return self.store:put(key, path, media_type) end)
  end)
end

-- The thumbnail goes first: where a crash finds the original gone, both are known to be in the store.
function M:store_files(ctx, record)
  local media_type = Records.media_type(record)
  local ok, message, code = self:put(ctx, Records.key(record, "thumbs"), self.records:thumb(record), media_type)
  if not ok then return nil, message, code end
  return self:put(ctx, Records.key(record, "originals"), self.records:incoming(record), media_type)
end

function M:store_picture(ctx, record)
  local stored, reason, code = self:store_files(ctx, record)
  if code == "missing" then
    self.log:error("the file of an accepted picture is gone", { id = record.id, error = reason })
    return self.records:refuse(record, "its file is gone from the data folder")
  end
  if not stored then return nil, reason end
  record.state = "stored"
  local ok, message = self:persist(ctx, "the record of " .. record.id, function() return self.records:put(record) end)
  if not ok then return nil, message end
  os.remove(self.records:incoming(record))
  os.remove(self.records:thumb(record))
  return true
end

function M:handle(ctx, id)
  local record = self.records:get(id)
  if not record or record.state ~= "accepted" then return true end
  local ok, message = self:store_picture(ctx, record)
  if not ok then
    return nil, ("picture %s is not stored and stays in the data folder: %s"):format(id, message)
  end
  self.log:info(record.state, { id = id })
  return true
end

function M.run(self, ctx)
  for job in self.thumbs:iter() do
    local ok, message = self:handle(ctx, job.id)
    if not ok then return nil, message end
  end
  return true
end

return M
