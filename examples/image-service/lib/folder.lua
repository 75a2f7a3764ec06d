-- The store in a folder: the default. A picture is moved there, so storing needs no space of its own.
local file = require "file_native"

local Folder = {}
Folder.__index = Folder
Folder.__name = "image-service.folder"

local PIECE = 64 * 1024

function Folder.open(path)
  for _, name in ipairs { "originals", "thumbs" } do
    local ok, message, code = file.make_folder(path .. "/" .. name)
    if not ok then return nil, "the store cannot be used: " .. message, code end
  end
  return setmetatable({ path = path }, Folder)
end

function Folder:file(key)
  return self.path .. "/" .. key
end

local function exists(path)
  local handle = io.open(path, "rb")
  if handle then handle:close() end
  return handle ~= nil
end

-- Stores the file at `path`; "missing" when there is none. Doing it again is no error, since a job may come twice.
function Folder:put(key, path)
  local ok, message, code = file.move(path, self:file(key))
  if not ok and code == "not_found" then
    if exists(self:file(key)) then return true end
    code = "missing"
  end
  return ok, message, code
end

-- A reader of a file: { length, next, close }; nil, message, "not_found" when it is not there.
function Folder.read_file(path)
  local handle, message = io.open(path, "rb")
  if not handle then return nil, message, "not_found" end
  local length = handle:seek("end")
  handle:seek("set")
  return {
    length = length,
    next = function() return handle:read(PIECE) end,
    close = function() handle:close() end,
  }
end

function Folder:read(key)
  return Folder.read_file(self:file(key))
end

return Folder
