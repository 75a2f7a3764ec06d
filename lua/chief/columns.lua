-- Text in columns, each as wide as its widest cell; for a terminal and for a pipe the same.

local columns = {}

-- Letters, not bytes: a name in a cell may be UTF-8.
local function width(text) return utf8.len(text) or #text end

---@param rows string[][] the first one is the head
---@param indent string?
---@return string
function columns.render(rows, indent)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, width(cell)) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = cell .. (" "):rep(widths[i] - width(cell)) end
    lines[#lines + 1] = ((indent or "") .. table.concat(cells, "  ")):gsub(" +$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

return columns
