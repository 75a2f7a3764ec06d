-- Makes what the example needs findable: its own C modules in native/, and the Lua files of packages which a
-- distribution installs for 5.3, 5.2 and 5.1 only (Debian's lua-http). These go to the end of the path, so nothing that
-- is there for 5.4 is hidden.
local _, file = ...
local paths = { folder = file and file:match("^(.*)/lib/[^/]*$") or "." }

local function has(list, template)
  return (";" .. list .. ";"):find(";" .. template .. ";", 1, true) ~= nil
end

local function older_templates(list, version)
  local found = {}
  for template in list:gmatch("[^;]+") do
    local older, count = template:gsub("/lua/5%.4/", "/lua/" .. version .. "/")
    if count > 0 and not has(list, older) then found[#found + 1] = older end
  end
  return found
end

for _, version in ipairs { "5.3", "5.2", "5.1" } do
  for _, template in ipairs(older_templates(package.path, version)) do
    package.path = package.path .. ";" .. template
  end
end

local native = paths.folder .. "/native/?.so"
if not has(package.cpath, native) then package.cpath = native .. ";" .. package.cpath end
if not package.searchpath("image_native", package.cpath) then
  error(("the C modules of the image service are not built: there should be %s/native/image_native.so; "
    .. "./dev run builds them"):format(paths.folder), 0)
end

return paths
