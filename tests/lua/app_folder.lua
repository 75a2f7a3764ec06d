-- Folders with app files and workers in them, for the specs.

local app_folder = {}

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
app_folder.quote = quote

---Makes a folder with these files in it and returns its path.
---@param files table<string, string> what each file holds, by its path in the folder
---@return string
function app_folder.make(files)
  local pipe = assert(io.popen("mktemp -d"))
  local root = pipe:read("l")
  pipe:close()
  for path, text in pairs(files) do
    local folder = path:match("^(.*)/")
    if folder then assert(os.execute("mkdir -p " .. quote(root .. "/" .. folder))) end
    local file = assert(io.open(root .. "/" .. path, "wb"))
    file:write(text)
    file:close()
  end
  return root
end

function app_folder.remove(root) os.execute("rm -rf " .. quote(root)) end

return app_folder
