-- The workers without chief: what they do with a job that comes twice, that cannot be done, and when a stop comes.
package.path = (os.getenv("CHIEF_SOURCE") or ".") .. "/tests/image-service/?.lua;" .. package.path
local helper = require "helper"
local image = require "image_native"
local Records = require "lib.records"
local resizer = require "workers.resizer"
local uploader = require "workers.uploader"

describe("the workers", function()
  local folder, records, uploads, thumbs, ctx

  local function accept(bytes)
    local record = { id = Records.new_id(), state = "accepted", bytes = #bytes, type = "jpeg", width = 1, height = 1 }
    local handle = assert(io.open(records:incoming(record), "wb"))
    handle:write(bytes)
    handle:close()
    assert(records:put(record))
    return record
  end

  local function sample()
    return (image.sample { width = 64, height = 48, type = "jpeg" })
  end

  local function run(module)
    local instance = assert(helper.instance(module, ctx))
    local results = table.pack(module.run(instance, ctx))
    instance.records:close() -- as the end of a worker's state does
    return table.unpack(results, 1, results.n)
  end

  before_each(function()
    folder = helper.new_folder()
    records = assert(Records.open(folder, "spec"))
    uploads, thumbs = helper.channel(), helper.channel()
    ctx = helper.context({ data_dir = folder, side = 320, drain = 0.3, run = "this" },
      { uploads = uploads, thumbs = thumbs })
  end)
  after_each(function() helper.remove_folder(folder) end)

  it("store a picture and its thumbnail", function()
    local bytes = sample()
    local record = accept(bytes)
    uploads:send({ id = record.id })
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    assert.are.equal("stored", records:get(record.id).state)
    assert.are.equal(bytes, helper.read(("%s/store/originals/%s.jpg"):format(folder, record.id)))
    local thumb = helper.read(("%s/store/thumbs/%s.jpg"):format(folder, record.id))
    assert.are.equal(320, image.probe(thumb).width)
    assert.is_nil(helper.read(records:incoming(record)))
  end)

  it("begin with what an earlier run has accepted", function()
    local record = accept(sample())
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    assert.are.equal("stored", records:get(record.id).state)
  end)

  it("leave what this run has accepted to the queue", function()
    local record = accept(sample())
    record.run = "this"
    assert(records:put(record))
    assert.is_true(run(resizer))
    assert.are.equal(0, thumbs:len())
    ctx.args.run = "later"
    assert.is_true(run(resizer))
    assert.are.equal(1, thumbs:len())
  end)

  it("share what an earlier run has accepted", function()
    local ids = {}
    for i = 1, 12 do ids[i] = accept(sample()).id end
    ctx.args.resizers = 3
    for number = 1, 3 do
      ctx.name = "resizer/" .. number
      assert.is_true(run(resizer))
    end
    local done = {}
    for job in thumbs:iter() do
      assert.is_nil(done[job.id])
      done[job.id] = true
    end
    for _, id in ipairs(ids) do assert.is_true(done[id]) end
  end)

  it("do nothing for a job that comes again", function()
    local record = accept(sample())
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    uploads:send({ id = record.id })
    thumbs:send({ id = record.id })
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    assert.are.equal(0, thumbs:len())
  end)

  it("finish a job that was stored and not yet noted", function()
    local record = accept(sample())
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    record.state = "accepted"
    assert(records:put(record))
    thumbs:send({ id = record.id })
    assert.is_true(run(uploader))
    assert.are.equal("stored", records:get(record.id).state)
  end)

  it("refuse what cannot be decoded, with the reason", function()
    local record = accept(sample():sub(1, -100))
    uploads:send({ id = record.id })
    assert.is_true(run(resizer))
    local after = records:get(record.id)
    assert.are.equal("refused", after.state)
    assert.is_truthy(after.reason:find("ends before", 1, true))
    assert.is_nil(helper.read(records:incoming(record)))
  end)

  it("leave the rest of the catching up for the next start when stopped", function()
    local record = accept(sample())
    ctx:stop()
    assert.is_true(run(resizer))
    assert.are.equal("accepted", records:get(record.id).state)
  end)

  it("note what an earlier run had stored when it was cut off", function()
    local record = accept(sample())
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    record.state = "accepted"
    assert(records:put(record))
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    assert.are.equal("stored", records:get(record.id).state)
  end)

  it("refuse a picture whose file is gone, and go on", function()
    local lost, record = accept(sample()), accept(sample())
    os.remove(records:incoming(lost))
    uploads:send({ id = lost.id })
    assert.is_true(run(resizer))
    assert.is_true(run(uploader))
    assert.are.equal("refused", records:get(lost.id).state)
    assert.are.equal("stored", records:get(record.id).state)
  end)

  local function failing_store(failures, code)
    local store = { puts = 0 }
    function store:put()
      self.puts = self.puts + 1
      if self.puts <= failures then return nil, "out of order", code end
      return true
    end
    return store
  end

  local function upload_with(store)
    local record = accept(sample())
    thumbs:send({ id = record.id })
    local instance = assert(helper.instance(uploader, ctx))
    instance.store = store
    return record, instance:run(ctx)
  end

  it("try an unavailable store again, more and more slowly", function()
    local record, ok = upload_with(failing_store(6, "unavailable"))
    assert.is_true(ok)
    assert.are.equal("stored", records:get(record.id).state)
    assert.are.equal(6, #ctx.slept)
    assert.is_true(ctx.slept[1] < 0.3 and ctx.slept[6] > ctx.slept[1] and ctx.slept[6] <= 6)
  end)

  it("wait for room on the disk", function()
    local record = accept(sample())
    thumbs:send({ id = record.id })
    local instance = assert(helper.instance(uploader, ctx))
    instance.store = failing_store(1, "no_space")
    local put, failures = instance.records.put, 1
    function instance.records:put(...)
      failures = failures - 1
      if failures >= 0 then return nil, "No space left on device", "no_space" end
      return put(self, ...)
    end
    assert.is_true(instance:run(ctx))
    assert.are.equal("stored", records:get(record.id).state)
    assert.are.equal(2, #ctx.slept)
    assert.is_truthy(ctx.log.lines[1]:find("there is no room, trying again", 1, true))
  end)

  it("fail with what trying again does not help, and keep the job", function()
    local record, ok, message = upload_with(failing_store(1, "denied"))
    assert.is_nil(ok)
    assert.is_truthy(message:find("out of order", 1, true))
    assert.are.equal(0, #ctx.slept)
    assert.are.equal("accepted", records:get(record.id).state)
    assert.is_truthy(helper.read(records:incoming(record)))
  end)

  it("go on trying for the drain time when stopped, then leave the job to the next start", function()
    ctx.on_sleep = function(round) if round == 2 then ctx:stop() end end
    local began = os.time()
    local store = failing_store(1000, "unavailable")
    local record, ok, message = upload_with(store)
    assert.is_nil(ok)
    assert.is_truthy(message:find("stays in the data folder", 1, true))
    assert.is_true(store.puts >= 2 and os.time() - began <= 2)
    assert.are.equal("accepted", records:get(record.id).state)
  end)

  it("end an attempt that hangs when the drain time is over", function()
    local cqueues = require "cqueues"
    ctx:stop()
    local record, ok = upload_with { put = function() cqueues.sleep(60) end }
    assert.is_nil(ok)
    assert.are.equal("accepted", records:get(record.id).state)
  end)

  it("say that the data folder cannot be used", function()
    ctx.args.data_dir = "/dev/null/data"
    for _, module in ipairs { resizer, uploader, (require "workers.api") } do
      local instance, message = helper.instance(module, ctx)
      assert.is_nil(instance)
      assert.is_truthy(message:find("the data folder cannot be used: /dev/null", 1, true), message)
    end
  end)

  it("sweep what no accepted picture needs", function()
    local record = accept(sample())
    for _, name in ipairs { "incoming/abc.part", "incoming/0123456789abcdef0123", "thumbs/0123456789abcdef0123" } do
      assert(io.open(folder .. "/" .. name, "w")):close()
    end
    records:sweep()
    local file = require "file_native"
    assert.are.same({ record.id }, file.list(folder .. "/incoming"))
    assert.are.same({}, file.list(folder .. "/thumbs"))
  end)
end)
