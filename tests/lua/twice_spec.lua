local twice = require "chief.twice"

-- Each as key:line:line of the first.
local function found(text)
  assert(load(text, "=text"))
  local list = {}
  for i, one in ipairs(twice.find(text)) do list[i] = ("%s:%d:%d"):format(one.key, one.line, one.first) end
  return table.concat(list, " ")
end

describe("a key that is written twice", function()
  it("is found with both lines", function()
    assert.equal("a:3:1", found("return { a = 1,\n b = 2,\n a = 3 }"))
    assert.equal("a:1:1 a:1:1", found("return { a = 1; a = 2; a = 3 }"))
    assert.equal("b:1:1", found("return { a = { b = 1, b = 2 }, c = { b = 1 } }"))
    assert.equal("a:1:1", found("local x = { a = 1, c = { a = 1 }, a = 2 } return x"))
    assert.equal("a-b:1:1", found([==[return { ["a-b"] = 1, ['a-b'] = 2 }]==]))
    assert.equal("a:1:1", found([==[return { a = 1, [ "a" ] = 2 }]==]))
    assert.equal("a:2:1", found("return { a = f { x = 1 }, --[[ a = 2, ]] b = 1, -- a = 3,\n a = 4 }"))
    assert.equal("a:1:1", found("return { a = function(x) return { x, x = 1 } end, a = 2 }"))
  end)

  it("is not found where there is none", function()
    for _, text in ipairs {
      "return {}", "return { a = 1, b = 1 }", "return { { a = 1 }, { a = 1 } }", "return { a, a, a }",
      "return { a == b, a == c }", "return { [a] = 1, [a] = 2 }", "return { ['a'] = 1, ['b'] = 2, [1] = 1, [1] = 1 }",
      "return { s = 'a = 1, a = 2', t = [[, a = 1, a = 2]], u = [=[]], a = 1, a = 2]=] }",
      "return { s = '\\'', a = 1, t = \"\\\", a = 2\" }",
      "return { a = 1, -- , a = 2\n b = 1 --[==[ , a = 2 ]] ]==] }",
      "local a = 1; a = 2; return { a = 1 }",
      "return { run = function() local a, b = 1, 2; a = 3; a = 4 if a then b = 1, 2; b = 2 end end, a = 1 }",
      "return { f = function() for i = 1, 2 do local x = i, 1; x = 2 end end, x = 1 }",
      "return { f = function() repeat local y = 1, 2; y = 1 until true while nil do y = 1, 2; y = 3 end end, y = 1 }",
      "return { f(a, { a = 1 }), a = 2 }", "return { a = 0x1p-3, b = .5, c = 1e-3, d = x .. y, e = 5 // 2 }",
      "return { a = a[{ a = 1 }], b = #{ a = 1 } }", "", "-- nothing", "return",
    } do assert.equal("", found(text), text) end
  end)
end)
