-- What travels between workers: MessagePack made and read by chief.core, against its format and another implementation.
local core = require "chief.core"

local function hex(bytes) return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
local function unhex(text)
  return (text:gsub("%s", ""):gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The longer ones by their first bytes.
local function begins(value, head) assert.equal(head, hex(core.pack(value):sub(1, #head // 2))) end

local function nested(depth)
  local value = {}
  for _ = 2, depth do value = { value } end
  return value
end

local seed = tonumber(os.getenv("CHIEF_TEST_SEED")) or os.time()
print(("codec_spec: CHIEF_TEST_SEED=%d"):format(seed))

-- Values of every kind. `plain` leaves out what the other implementation has no form for.
local function generator(plain)
  local random = math.random
  local value

  local function text()
    local parts = {}
    for i = 1, random(0, 40) do
      parts[i] = plain and string.char(random(32, 126)) or
        (random(4) == 1 and utf8.char(random(0x80, 0xd7ff)) or string.char(random(0, 255)))
    end
    return table.concat(parts)
  end

  local function integer()
    return (random(0) >> random(0, 63)) * (random(2) == 1 and 1 or -1)
  end

  local function key()
    local kind = random(plain and 2 or 3)
    if kind == 1 then return text() .. "k" elseif kind == 2 then return integer() else return random(2) == 1 end
  end

  local function list(depth)
    local t = {}
    for i = 1, random(0, 12) do t[i] = value(depth + 1) end
    return t
  end

  local function map(depth)
    local t = {}
    for _ = 1, random(1, 6) do t[key()] = value(depth + 1) end
    return t
  end

  function value(depth)
    local kind = random(depth > 3 and 4 or 6)
    if kind == 1 then return text() elseif kind == 2 then return integer()
    elseif kind == 3 then return random(2) == 1 elseif kind == 4 then return (random() - 0.5) * 2.0 ^ random(-60, 60)
    elseif kind == 5 then return list(depth) else return map(depth) end
  end

  return function() return value(0) end
end

local function same(a, b)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then return false end
  if type(a) ~= "table" then return a == b end
  for k, v in pairs(a) do if not same(v, b[k]) then return false end end
  for k in pairs(b) do if a[k] == nil then return false end end
  return true
end

describe("pack", function()
  it("writes each value in its shortest form", function()
    local forms = {
      { 0, "00" }, { 127, "7f" }, { 128, "cc80" }, { 255, "ccff" }, { 256, "cd0100" }, { 65535, "cdffff" },
      { 65536, "ce00010000" }, { 0xffffffff, "ceffffffff" }, { 0x100000000, "cf0000000100000000" },
      { math.maxinteger, "cf7fffffffffffffff" }, { -1, "ff" }, { -32, "e0" }, { -33, "d0df" }, { -128, "d080" },
      { -129, "d1ff7f" }, { -32768, "d18000" }, { -32769, "d2ffff7fff" }, { -2147483648, "d280000000" },
      { -2147483649, "d3ffffffff7fffffff" }, { math.mininteger, "d38000000000000000" },
      { 1.0, "cb3ff0000000000000" }, { -0.0, "cb8000000000000000" }, { math.huge, "cb7ff0000000000000" },
      { true, "c3" }, { false, "c2" }, { "", "a0" }, { "é", "a2c3a9" }, { "\xff", "c401ff" },
      { {}, "90" }, { core.map {}, "80" }, { { 1, 2 }, "920102" }, { { a = 1 }, "81a16101" },
      { { [true] = 1 }, "81c301" }, { { [2] = 1 }, "810201" }, { { [-1] = 1 }, "81ff01" }, { core.map { 7 }, "810107" },
    }
    for _, form in ipairs(forms) do assert.equal(form[2], hex(core.pack(form[1]))) end
  end)

  it("chooses the head by the length", function()
    local function list(n) local t = {} for i = 1, n do t[i] = 1 end return t end
    local function map(n) local t = {} for i = 1, n do t["k" .. i] = 1 end return t end
    begins(("x"):rep(31), "bf78")
    begins(("x"):rep(32), "d92078")
    begins(("x"):rep(255), "d9ff78")
    begins(("x"):rep(256), "da010078")
    begins(("x"):rep(65535), "daffff78")
    begins(("x"):rep(65536), "db0001000078")
    begins(("\xff"):rep(255), "c4ffff")
    begins(("\xff"):rep(256), "c50100ff")
    begins(("\xff"):rep(65536), "c600010000ff")
    begins(list(15), "9f01")
    begins(list(16), "dc001001")
    begins(list(65536), "dd0001000001")
    begins(map(15), "8f")
    begins(map(16), "de0010")
    begins(map(65536), "df00010000")
  end)

  it("takes only valid UTF-8 of at most 64 KiB for text", function()
    local texts = { "a", "\0", "\u{7f}\u{80}", "\u{7ff}\u{800}", "\u{ffff}", "\u{10000}\u{10ffff}", "12345678é2345678" }
    for _, text in ipairs(texts) do assert.equal(0xa0 | #text, core.pack(text):byte()) end
    local binaries = { "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
      "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "abcdefgh\xe2\x82", "\xc3a", "\xff" }
    for _, bytes in ipairs(binaries) do assert.equal(0xc4, core.pack(bytes):byte()) end
    assert.equal(0xc6, core.pack(("x"):rep(65537)):byte())
  end)

  it("makes an array of exactly 1..n and a map of all else", function()
    local backwards = {}
    for i = 20, 1, -1 do backwards[i] = i end
    begins(backwards, "dc0014")
    begins({ 1, 2, nil, 4 }, "83")
    begins({ 1, 2, x = 3 }, "83")
    begins({ [0] = 1, 2 }, "82")
    begins({ [1.0] = "a" }, "91")
    begins({ [3] = {}, [1] = {}, [4] = {}, [2] = {} }, "94")
    begins({ { 1 }, { 2 }, nil, { 4 } }, "83")
    begins({ { 1 }, { 2 }, x = { 3 } }, "83")
    begins({ 1, { 2 }, [false] = 3 }, "83")
    begins({ [2] = 1, ["1"] = 2 }, "82")
  end)

  it("gives an array its items whatever the order of its keys", function()
    local orders = { { 1, 2, 3, 4 }, { 4, 3, 2, 1 }, { 2, 4, 1, 3 }, { 1, 3, 2, 4 }, { 3, 1, 4, 2 } }
    for _, order in ipairs(orders) do
      local leaves, tables = {}, {}
      for _, i in ipairs(order) do leaves[i], tables[i] = i, { i } end
      assert.equal("9401020304", hex(core.pack(leaves)))
      assert.equal("949101910291039104", hex(core.pack(tables)))
    end
  end)

  it("writes each table once, also in what only looks like an array", function()
    local deep = {}
    for i = 1, 90 do deep = i % 2 == 0 and { deep, x = true } or { [1] = deep, [3] = 1, [2] = 1, [4] = 1 } end
    assert.is_true(#core.pack(deep) < 1000) -- and not 2^90 tables later
  end)

  it("sees a byte that is no ASCII at every place", function()
    for n = 1, 40 do
      for i = 1, n do
        local before, after = ("x"):rep(i - 1), ("x"):rep(n - i)
        assert.equal(0xc4, core.pack(before .. "\xff" .. after):byte())
        assert.not_equal(0xc4, core.pack(before .. "é" .. after):byte())
      end
    end
  end)

  it("ignores metatables", function()
    local strict = setmetatable({ 1 }, { __index = error, __len = error, __pairs = error })
    assert.equal("9101", hex(core.pack(strict)))
  end)

  it("refuses what has no form, with its path", function()
    local cyclic = { a = { b = {} } }
    cyclic.a.b[1] = cyclic.a
    local own = { 1, "leaf" }
    own[3] = own
    local cases = {
      { print, "can't send a function" }, { { tags = { 1, 2, print } }, "can't send a function (at .tags[3])" },
      { { ["not a name"] = io.stdout }, 'can\'t send a userdata (at ["not a name"])' },
      { { [true] = { [-7] = coroutine.create(print) } }, "can't send a coroutine (at [true][-7])" },
      { { x = { [1.5] = 1 } }, "can't send a table with a key that is a number (at .x)" },
      { { [{}] = 1 }, "can't send a table with a key that is a table" },
      { cyclic, "can't send a table that contains itself (at .a.b[1])" },
      { own, "can't send a table that contains itself (at [3])" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(core.pack, case[1])
      assert.is_false(ok)
      assert.equal(case[2], message)
    end
  end)

  it("says where, in the file of the sender", function()
    local ok, message = pcall(function() return (core.pack(print)) end)
    assert.is_false(ok)
    assert.matches("codec_spec.lua:%d+: can't send a function$", message)
  end)

  it("refuses nil, saying what to send instead", function()
    assert.has_error(function() return (core.pack(nil)) end, nil)
    assert.equal("can't send nil; send false or {}", select(2, pcall(core.pack, nil)))
    assert.matches("bad argument", select(2, pcall(core.pack)))
  end)

  it("goes 100 levels deep and no further", function()
    assert.same(nested(100), core.unpack(core.pack(nested(100))))
    assert.matches("nested more than 100 deep", select(2, pcall(core.pack, nested(101))))
  end)

  it("calls a cycle a cycle at every depth", function()
    for depth = 97, 100 do
      local last = {}
      last[1] = last
      local value = last
      for _ = 2, depth do value = { value } end
      assert.matches("contains itself", select(2, pcall(core.pack, value)))
    end
  end)

  it("sends a table twice that is there twice", function()
    local shared = { 1 }
    assert.same({ { 1 }, { 1 } }, core.unpack(core.pack { shared, shared }))
  end)

  it("stops at a size limit where sharing multiplies", function()
    local value = ("x"):rep(1 << 20)
    for _ = 1, 10 do value = { value, value } end
    assert.matches("more than 256 MiB", select(2, pcall(core.pack, value)))
    collectgarbage()
  end)
end)

describe("unpack", function()
  it("gives back what was packed", function()
    math.randomseed(seed)
    local make = generator(false)
    for _ = 1, 3000 do
      local value = make()
      assert(same(value, core.unpack(core.pack(value))), "not the same")
    end
  end)

  it("gives back large maps inside one another", function()
    local function map(n, value)
      local t = {}
      for i = 1, n do t["k" .. i] = i % 7 == 0 and value or i end
      return t
    end
    local value = { 1 }
    for _, n in ipairs { 15, 16, 17, 300, 15, 40 } do value = map(n, value) end
    assert(same(value, core.unpack(core.pack(value))), "not the same")
    value = { map(70000, { [true] = map(16, "é") }), x = map(16, {}) }
    assert(same(value, core.unpack(core.pack(value))), "not the same")
  end)

  it("keeps an empty map a map", function()
    assert.equal("81a17880", hex(core.pack(core.unpack(core.pack { x = core.map {} }))))
    assert.equal("81a17890", hex(core.pack(core.unpack(core.pack { x = {} }))))
  end)

  it("reads forms that it does not write", function()
    assert.equal(1.5, core.unpack(unhex "ca 3fc00000"))
    assert.equal(1, core.unpack(unhex "d3 0000000000000001"))
    assert.equal(-1, core.unpack(unhex "d0 ff"))
    assert.equal("a", core.unpack(unhex "db 00000001 61"))
    assert.same({ a = 1 }, core.unpack(unhex "df 00000001 c401 61 01"))
    assert.same({ 1, nil, 3 }, core.unpack(unhex "93 01 c0 03"))
    assert.same({ b = 2 }, core.unpack(unhex "82 a161 c0 a162 02"))
  end)

  it("refuses what is not one whole value", function()
    local cases = {
      { "", "ends where a value should begin" }, { "c1", "c1, which begins nothing" }, { "c0", "nil" },
      { "01 02", "1 bytes after the value" }, { "a2 61", "a string of 2 bytes where 1 are left" },
      { "db ffffffff 61", "a string of 4294967295 bytes" }, { "cf 8000000000000000", "above 2^63" },
      { "d9", "in the middle" }, { "cb 00", "in the middle" }, { "91", "1 values promised where 0 bytes are left" },
      { "81 a161", "a string of 1 bytes where 0 are left" },
      { "92 cc01", "ends where a value should begin" }, { "dd ffffffff 01", "4294967295 values promised" },
      { "df ffffffff 01", "8589934590 values promised" }, { "d4 01 00", "an extension type (mark d4)" },
      { "c7 00 01", "an extension type" }, { "81 ca3f800000 01", "a map key that is a float" },
      { "81 c0 01", "a map key that is a nil" }, { "81 90 01", "a map key that is a table" },
    }
    for _, case in ipairs(cases) do
      local value, message, code = core.unpack(unhex(case[1]))
      assert.is_nil(value)
      assert.matches(case[2], message, 1, true)
      assert.matches("^not a valid message: ", message)
      assert.equal("bad_data", code)
    end
  end)

  it("bounds depth", function()
    assert.is_table(core.unpack(("\x91"):rep(99) .. "\x90"))
    assert.matches("nested more than 100", select(2, core.unpack(("\x91"):rep(100) .. "\x90")))
    assert.matches("nested more than 100", select(2, core.unpack(("\x91"):rep(1000000) .. "\x90")))
    assert.matches("nested more than 100", select(2, core.unpack(("\x81\xa1a"):rep(1000000) .. "\x90")))
  end)

  -- Each level claims that all the bytes that are left are its own items.
  it("allocates in proportion to what is there, whatever is promised", function()
    local filler = ("\1"):rep(1 << 20)
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    local value = core.unpack(("\xdd\x00\x0f\xff\x00"):rep(90) .. filler)
    local used = collectgarbage("count") - before
    collectgarbage("restart")
    assert.is_nil(value)
    assert.is_true(used < 40 * 1024, ("%.0f KiB"):format(used))
  end)

  it("survives every prefix and twenty thousand mutations", function()
    math.randomseed(seed)
    local make = generator(false)
    for _ = 1, 100 do
      local bytes = core.pack(make())
      for n = 0, math.min(#bytes - 1, 200) do assert.is_nil((core.unpack(bytes:sub(1, n)))) end
      for _ = 1, 200 do
        local at = math.random(#bytes)
        local value = core.unpack(bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1))
        if value ~= nil then assert.is_string(core.pack(value)) end
      end
    end
  end)
end)

describe("a finalizer that encodes", function()
  -- Garbage whose collection sends something itself, at whatever point the collector comes to run.
  local function litter()
    for _ = 1, 20 do
      setmetatable({ {} }, { __gc = function() core.pack { "from a finalizer", ("x"):rep(50) } end })
    end
  end

  -- The collector runs at every allocation.
  before_each(function() collectgarbage("incremental", 1, 400, 1) end)
  after_each(function() collectgarbage("incremental", 200, 100, 13) end)

  it("does not reach into what is being sent", function()
    local channel <close> = core.channel("c", { capacity = 1000 })
    local batch = {}
    for i = 1, 200 do batch[i] = { i, setmetatable({}, { __index = batch }) } end
    for _ = 1, 50 do
      litter()
      assert.equal(200, (channel:send_many(batch)))
      for i = 1, 200 do assert.equal(i, channel:recv()[1]) end
    end
  end)

  it("does not reach into a function that becomes a worker", function()
    for _ = 1, 200 do
      litter()
      local spec = core.function_spec(function() return 4711 end)
      assert.equal(4711, load(spec.chunk, "f", "b")())
    end
  end)
end)

describe("another implementation", function()
  local path = package.path
  package.path = path .. ";/usr/share/lua/5.3/?.lua"
  local found, other = pcall(require, "MessagePack")
  package.path = path

  it("reads what we write and writes what we read", function()
    if not found then pending("lua-messagepack is not installed") return end
    math.randomseed(seed)
    local make = generator(true)
    for _ = 1, 2000 do
      local value = make()
      assert(same(value, other.unpack(core.pack(value))), "read by the other, not the same")
      assert(same(value, core.unpack(other.pack(value))), "written by the other, not the same")
    end
  end)
end)

describe("JSON", function()
  it("goes out as it came in", function()
    local text = '{"a":[1,2.5,null,true,"\\u0001é"],"b":{},"c":[],"n":9007199254740993}'
    local decoded = core.json_decode(text:gsub("9007199254740993", "-7"))
    assert.equal((text:gsub("9007199254740993", "-7")), core.json_encode(decoded))
    assert.equal("[9007199254740993]", core.json_encode { 9007199254740993 })
    assert.equal('{"a":1,"b":2,"c":3}', core.json_encode { c = 3, a = 1, b = 2 })
    assert.equal("null", core.json_encode(core.null))
  end)

  it("refuses what is not JSON, with the place", function()
    local value, message, code = core.json_decode('{"a":}')
    assert.is_nil(value)
    assert.matches("not valid JSON %(byte %d+%)", message)
    assert.equal("bad_data", code)
    assert.is_nil((core.json_decode("[1] 2")))
    assert.is_nil((core.json_decode("")))
  end)

  it("refuses what JSON has no form for", function()
    local cyclic = {}
    cyclic[1] = cyclic
    for _, value in ipairs { print, { [{}] = 1 }, { x = io.stdout }, cyclic } do
      assert.is_false((pcall(core.json_encode, value)))
    end
  end)
end)
