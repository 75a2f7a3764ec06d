-- The pictures as HTTP shows them: what is accepted, and what is answered about each. Knows requests and answers, and
-- neither sockets nor the loop they are served in.
local image = require "image_native"
local file = require "file_native"
local answer = require "lib.answer"
local Folder = require "lib.folder"
local Records = require "lib.records"

local Pictures = {}
Pictures.__index = Pictures
Pictures.__name = "image-service.pictures"

-- Enough for the header of nearly every picture; the rest is read back from the file.
local HEAD = 128 * 1024
-- Fewer bytes say nothing about what a file is.
local MAGIC = 12
local PAGE, LONGEST_PAGE = 50, 500

-- `options` is { records, store, uploads, args, log }.
function Pictures.new(options)
  return setmetatable(options, Pictures)
end

local function busy()
  return answer.error(503, "the service has more pictures than it can take; try again", { ["retry-after"] = "1" })
end

local function write_failure(message, code)
  if code == "no_space" then return answer.error(507, "the service has no room for the picture") end
  return answer.error(500, "the picture cannot be kept: " .. message)
end

local function refusal_of(message, code)
  local status = ({ not_image = 415, too_large = 413 })[code] or 400
  return answer.error(status, message)
end

local function show(record)
  local url = "/images/" .. record.id
  return {
    id = record.id, url = url, thumb = url .. "/thumb", state = record.state, type = Records.media_type(record),
    bytes = record.bytes, width = record.width, height = record.height, reason = record.reason,
  }
end

-- What can be refused before the body is read.
function Pictures:refuse_early(request)
  local limit = self.args.max_bytes
  if not request.length then return answer.error(411, "send the picture as the body, with a Content-Length") end
  if request.length == 0 then return answer.error(400, "the body is empty; send the picture as the body") end
  if request.length > limit then
    return answer.error(413, ("the picture has %d bytes, more than the %d we take"):format(request.length, limit))
  end
  local media_type = request.headers:get("content-type") or ""
  if media_type:find("^multipart/") then
    return answer.error(415, "send the picture itself as the body, not a form (curl --data-binary @picture.jpg)")
  end
  if self.uploads:len() >= self.args.queue then return busy() end
end

-- Writes the body to `writer` and keeps its head. What is no picture is refused as soon as that can be seen.
local function receive(request, writer)
  local head, checked = "", false
  local ok, refusal = request:each_piece(function(piece)
    if #head < HEAD then head = head .. piece:sub(1, HEAD - #head) end
    if not checked and #head >= MAGIC then
      checked = true
      local _, message, code = image.probe(head)
      if code == "not_image" then return nil, refusal_of(message, code) end
    end
    local written, message, code = writer:write(piece)
    if not written then return nil, write_failure(message, code) end
    return true
  end)
  if not ok then return nil, refusal end
  return head
end

local function read_back(path)
  local handle = assert(io.open(path, "rb"))
  local bytes = handle:read("a")
  handle:close()
  return bytes
end

-- What the picture is, from its head or, when a long prologue hides its size, from the whole file.
function Pictures:inspect(head, path, length)
  local found, message, code = image.probe(head)
  if code == "truncated" and length > #head then found, message, code = image.probe(read_back(path)) end
  if not found then return nil, refusal_of(message, code) end
  if found.width * found.height > self.args.max_pixels then
    return nil, answer.error(413, ("the picture has %d x %d pixels, more than the %d we take")
      :format(found.width, found.height, self.args.max_pixels))
  end
  return found
end

-- Puts the body on the disk as the incoming file of `record` and fills in what it is.
function Pictures:take_in(request, record)
  local path = self.records:incoming(record)
  local writer <close>, message, code = file.create(path)
  if not writer then return nil, write_failure(message, code) end
  local head, refusal = receive(request, writer)
  if not head then return nil, refusal end
  local ok
  ok, message, code = writer:commit()
  if not ok then return nil, write_failure(message, code) end
  local found
  found, refusal = self:inspect(head, path, request.length)
  if not found then return nil, refusal end
  record.type, record.width, record.height = found.type, found.width, found.height
  return true
end

-- Makes the promise that a 201 is: a record on the disk first, then a job in the queue.
function Pictures:enqueue(record)
  local ok, message, code = self.records:put(record)
  if not ok then return nil, write_failure(message, code) end
  if not self.uploads:try_send({ id = record.id }) then return nil, busy() end
  return true
end

function Pictures:add(request)
  local refusal = self:refuse_early(request)
  if refusal then return refusal end
  local record = { id = Records.new_id(), state = "accepted", bytes = request.length, run = self.args.run }
  local ok
  ok, refusal = self:take_in(request, record)
  if ok then ok, refusal = self:enqueue(record) end
  if not ok then
    self.records:remove(record)
    return refusal
  end
  self.log:info("accepted", { id = record.id, bytes = record.bytes, type = record.type })
  local shown = show(record)
  return answer.json(201, { id = shown.id, url = shown.url, thumb = shown.thumb }, { location = shown.url })
end

local function page_size(request)
  local text = request:parameter("limit")
  local wanted = text and math.tointeger(tonumber(text))
  if text and not (wanted and wanted >= 1 and wanted <= LONGEST_PAGE) then
    return nil, answer.error(400, ("limit should be a whole number from 1 to %d"):format(LONGEST_PAGE))
  end
  return wanted or PAGE
end

local function page_start(request)
  local id = request:parameter("before")
  if id and not Records.is_id(id) then
    return nil, answer.error(400, "before should be the id of a picture, got " .. id)
  end
  return id or false
end

-- The pictures, newest first; `before` is the id where the last page ended.
function Pictures:list(request)
  local limit, refusal = page_size(request)
  if not limit then return refusal end
  local before
  before, refusal = page_start(request)
  if before == nil then return refusal end
  local ids, message = self.records:ids()
  if not ids then return answer.error(500, "the pictures cannot be listed: " .. message) end
  local images = {}
  for i = #ids, 1, -1 do
    if #images == limit then break end
    local record = (not before or ids[i] < before) and self.records:get(ids[i])
    if record then images[#images + 1] = show(record) end
  end
  return answer.json_list(200, "images", images)
end

-- The record of an id, else nil and the answer.
function Pictures:find(id)
  local record = Records.is_id(id) and self.records:get(id)
  if not record then return nil, answer.error(404, "there is no picture " .. id) end
  if record.state == "refused" then
    return nil, answer.error(410, "the picture was refused: " .. tostring(record.reason))
  end
  return record
end

function Pictures:from_store(record, kind)
  local reader, message, code = self.store:read(Records.key(record, kind))
  if reader then return answer.reader(Records.media_type(record), reader) end
  self.log:warn("a stored picture cannot be read", { id = record.id, kind = kind, error = message })
  return answer.error(code == "not_found" and 404 or 502, "the picture cannot be read from the store")
end

function Pictures:original(_, id)
  local record, refusal = self:find(id)
  if not record then return refusal end
  if record.state == "accepted" then
    local reader = Folder.read_file(self.records:incoming(record))
    if reader then return answer.reader(Records.media_type(record), reader) end
  end
  -- It may have been moved to the store since its record was read.
  return self:from_store(record, "originals")
end

function Pictures:thumb(_, id)
  local record, refusal = self:find(id)
  if not record then return refusal end
  if record.state == "accepted" then
    return answer.json(202, { id = record.id, state = "accepted" }, { ["retry-after"] = "1" })
  end
  return self:from_store(record, "thumbs")
end

return Pictures
