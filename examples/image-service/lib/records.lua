-- What is known about each picture: one small JSON file per picture in DATA_DIR/records, written whole or not at all.
--
-- A record is { id, state, type, bytes, width, height, run, reason }. Its state is "accepted" from the 201 on, then
-- "stored" when the original and its thumbnail are in the store, or "refused" with a reason. What is still "accepted"
-- when the service starts is work that a stop or a crash has left, so no queue has to be durable by itself.
local rand = require "openssl.rand"
local file = require "file_native"
local json = require "lib.json"

local Records = {}
Records.__index = Records
Records.__name = "image-service.records"

local extensions = { jpeg = ".jpg", png = ".png", webp = ".webp" }
local media_types = { jpeg = "image/jpeg", png = "image/png", webp = "image/webp" }

-- Keeps the data folder for this worker, until its state is closed or its process ends: the same worker of a second
-- service would take up what this one is at, and sweep away what it is writing.
function Records:claim(worker)
  local lock, message, code = file.lock(("%s/%s.lock"):format(self.data_dir, worker:gsub("/", "-")))
  if lock then
    self.lock = lock
    return true
  end
  local what = "the data folder cannot be used: %s"
  if code == "locked" then
    what = "the data folder is in use by another image service (%s); DATA_DIR chooses another folder"
  end
  return nil, what:format(message), code
end

-- Opens the records of a data folder, which is made when it is not there, for one worker.
function Records.open(data_dir, worker)
  local self = setmetatable({ data_dir = data_dir }, Records)
  for _, name in ipairs { "records", "incoming", "thumbs" } do
    local ok, message, code = file.make_folder(data_dir .. "/" .. name)
    if not ok then return nil, "the data folder cannot be used: " .. message, code end
  end
  local ok, message, code = self:claim(worker)
  if not ok then return nil, message, code end
  return self
end

function Records:close()
  self.lock:release()
end

-- Ids begin with the second they were made in, so their order is the pictures' order.
function Records.new_id()
  return ("%08x%012x"):format(os.time(), string.unpack(">I6", rand.bytes(6)))
end

function Records.is_id(text)
  return #text == 20 and not text:find("%X")
end

function Records.media_type(record)
  return media_types[record.type]
end

-- Where a picture lies before it is in the store.
function Records:incoming(record)
  return ("%s/incoming/%s"):format(self.data_dir, record.id)
end

function Records:thumb(record)
  return ("%s/thumbs/%s"):format(self.data_dir, record.id)
end

-- The name of a picture in the store; `kind` is "originals" or "thumbs".
function Records.key(record, kind)
  return ("%s/%s%s"):format(kind, record.id, extensions[record.type])
end

function Records:path(id)
  return ("%s/records/%s.json"):format(self.data_dir, id)
end

function Records:put(record)
  return file.save(self:path(record.id), json.encode(record))
end

-- nil when there is no such picture.
function Records:get(id)
  local handle = io.open(self:path(id), "rb")
  if not handle then return nil end
  local text = handle:read("a")
  handle:close()
  return (json.decode(text))
end

function Records:remove(record)
  os.remove(self:path(record.id))
  os.remove(self:incoming(record))
end

-- Drops the picture and keeps the reason.
function Records:refuse(record, reason)
  record.state, record.reason = "refused", reason
  local ok, message, code = self:put(record)
  if ok then os.remove(self:incoming(record)) end
  return ok, message, code
end

-- Every id there is, oldest first.
function Records:ids()
  local names, message, code = file.list(self.data_dir .. "/records")
  if not names then return nil, message, code end
  local ids = {}
  for _, name in ipairs(names) do
    local id = name:match("^(%x+)%.json$")
    if id and Records.is_id(id) then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return ids
end

-- The records of pictures that were accepted by another run than this one and are not stored yet, oldest first.
function Records:pending(run)
  local ids, message, code = self:ids()
  if not ids then return nil, message, code end
  local pending = {}
  for _, id in ipairs(ids) do
    local record = self:get(id)
    if record and record.state == "accepted" and record.run ~= run then pending[#pending + 1] = record end
  end
  return pending
end

-- Removes the files that no accepted picture needs: uploads that never ended, and what a crash has left. Only for the
-- one who takes pictures in, before it begins.
function Records:sweep()
  for _, folder in ipairs { "incoming", "thumbs" } do
    for _, name in ipairs(file.list(self.data_dir .. "/" .. folder) or {}) do
      local record = Records.is_id(name) and self:get(name)
      local foreign = name:find("%.part$") and folder == "thumbs"
      if not foreign and not (record and record.state == "accepted") then
        os.remove(("%s/%s/%s"):format(self.data_dir, folder, name))
      end
    end
  end
end

return Records
