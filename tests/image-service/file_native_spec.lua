package.path = (os.getenv("CHIEF_SOURCE") or ".") .. "/tests/image-service/?.lua;" .. package.path
local helper = require "helper"
local file = require "file_native"

describe("file_native", function()
  local folder
  before_each(function() folder = helper.new_folder() end)
  after_each(function() helper.remove_folder(folder) end)

  it("shows a file only once it is committed", function()
    local writer = assert(file.create(folder .. "/a"))
    writer:write("one ")
    writer:write("two")
    assert.is_nil(helper.read(folder .. "/a"))
    assert.is_true(writer:commit())
    assert.are.equal("one two", helper.read(folder .. "/a"))
    assert.are.same({ "a" }, file.list(folder))
  end)

  it("leaves nothing of a writer that is let go of", function()
    do
      local writer <close> = assert(file.create(folder .. "/a"))
      writer:write("half")
    end
    assert(file.create(folder .. "/b")):write("half")
    collectgarbage()
    assert.are.same({}, file.list(folder))
  end)

  it("refuses to use a writer that is done", function()
    local writer = assert(file.create(folder .. "/a"))
    writer:discard()
    assert.has_error(function() writer:write("x") end)
    assert.is_true(writer:discard())
  end)

  it("replaces a file as a whole", function()
    assert(file.save(folder .. "/a", "old"))
    assert(file.save(folder .. "/a", "new"))
    assert.are.equal("new", helper.read(folder .. "/a"))
  end)

  it("makes a folder with those above it, twice", function()
    assert.is_true(file.make_folder(folder .. "/x/y/z"))
    assert.is_true(file.make_folder(folder .. "/x/y/z"))
    assert.are.same({ "z" }, file.list(folder .. "/x/y"))
  end)

  it("locks for one, until that releases it or is let go of", function()
    local path = folder .. "/lock"
    local lock = assert(file.lock(path))
    local second, message, code = file.lock(path)
    assert.is_nil(second)
    assert.are.equal("locked", code)
    assert.is_truthy(message:find("lock: held by process %d+$"))
    assert.is_true(lock:release())
    assert.is_true(lock:release())
    assert(file.lock(path))
    collectgarbage()
    local third <close> = assert(file.lock(path))
    assert.is_truthy(third)
    assert.are.equal("not_found", select(3, file.lock(folder .. "/nowhere/lock")))
  end)

  it("says what went wrong", function()
    local ok, message, code = file.create(folder .. "/nowhere/a")
    assert.is_nil(ok)
    assert.are.equal("not_found", code)
    assert.is_truthy(message:find("nowhere/a", 1, true))
    assert(file.save(folder .. "/plain", "x"))
    assert.is_nil((file.make_folder(folder .. "/plain/below")))
    assert.is_nil((file.list(folder .. "/nowhere")))
    assert.is_nil((file.move(folder .. "/nowhere", folder .. "/b")))
  end)

  it("says that there is no room, and leaves nothing", function()
    -- Every write to it fails as on a full disk.
    os.execute("ln -s /dev/full '" .. folder .. "/a.part'")
    local ok, _, code = file.save(folder .. "/a", "x")
    assert.is_nil(ok)
    assert.are.equal("no_space", code)
    assert.are.same({}, file.list(folder))
  end)
end)
