-- Where files are looked for: first in a folder (the one of the app file), then where the host looks.

local search = {}

---The folder a file is in.
---@param path string
---@return string
function search.folder_of(path) return path:match("^(.*)/[^/]*$") or "." end

---package.path and package.cpath of the host, with a folder (nil: none) before them.
---@param folder string?
---@return string path
---@return string cpath
function search.paths(folder)
  if not folder then return package.path, package.cpath end
  return ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path),
    ("%s/?.so;%s"):format(folder, package.cpath)
end

local function is_file(path)
  local file = io.open(path, "rb")
  if not file then return false end
  local readable = file:read(0) ~= nil or file:seek("end") == 0
  file:close()
  return readable
end

---The path of a C plug-in: below the folder, or by its name as `require` finds a C module.
---@param name string
---@param folder string?
---@return string? path
---@return string? message
function search.plugin(name, folder)
  local beside = name:sub(1, 1) == "/" and name or (folder or ".") .. "/" .. name
  if is_file(beside) then return beside end
  local _, cpath = search.paths(folder)
  local found, tried = package.searchpath(name, cpath)
  if found then return found end
  return nil, ('plug-in "%s" not found:\n\tno file \'%s\'\n\t%s'):format(name, beside, (tried:gsub("^%s+", "")))
end

---Says where a module should be, when it is nowhere; nil when there is a file for it.
---@param name string
---@param folder string?
---@return string? message
function search.missing(name, folder)
  local path, cpath = search.paths(folder)
  if package.searchpath(name, path) or package.searchpath(name, cpath) then return nil end
  local file = name:gsub("%.", "/")
  local first = folder and ("there should be %s/%s.lua, or "):format(folder, file) or "there should be "
  return ('no module "%s" found: %sa file for it along package.path'):format(name, first)
end

---Calls a function while `require` looks in the folder first, and puts the host's paths back, also after an error.
---@param folder string?
---@param fn function
---@return ... what fn returns
function search.within(folder, fn, ...)
  local path, cpath = package.path, package.cpath
  package.path, package.cpath = search.paths(folder)
  local results = table.pack(pcall(fn, ...))
  package.path, package.cpath = path, cpath
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

return search
