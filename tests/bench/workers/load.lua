-- What is sent, the same in every contender (tests/bench/README.md), and what is counted of it.
local load = {}

function load.int(seed)
  return function(i) return (i * 7 + seed) % 1000003 end, function(sum, v) return sum + v end
end

function load.str64(seed)
  local strings = {}
  for k = 0, 15 do strings[k] = string.char(97 + (k + seed) % 26):rep(64) end
  return function(i) return strings[i & 15] end, function(sum, v, i)
    if i & 63 == 0 then sum = sum + v:byte() end
    return sum + #v
  end
end

function load.table(seed)
  return function(i)
    return { id = (i * 7 + seed) % 1000003, name = "picture", tags = { "red", "green", "blue", "black", "white" } }
  end, function(sum, v) return sum + v.id + #v.name + #v.tags end
end

return load
