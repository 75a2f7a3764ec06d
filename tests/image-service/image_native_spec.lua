package.path = (os.getenv("CHIEF_SOURCE") or ".") .. "/tests/image-service/?.lua;" .. package.path
require "helper"
local image = require "image_native"

local types = { "jpeg", "png", "webp" }

local function code_of(...)
  local _, message, code = ...
  assert.is_string(message)
  return code
end

-- A JPEG with an Exif segment that says how it is to be turned.
local function with_orientation(jpeg, orientation, format)
  local order = format == "<" and "II" or "MM"
  local tiff = order .. string.pack(format .. "I2 I4 I2 I2 I2 I4 I2 I2 I4", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
  local body = "Exif\0\0" .. tiff
  return jpeg:sub(1, 2) .. "\xFF\xE1" .. string.pack(">I2", #body + 2) .. body .. jpeg:sub(3)
end

-- A PNG that is nothing but a promise of its size.
local function png_promise(width, height)
  return "\x89PNG\r\n\x1A\n" .. string.pack(">I4 c4 I4 I4 BBBBB I4", 13, "IHDR", width, height, 8, 6, 0, 0, 0, 0)
end

local function jpeg_promise(width, height)
  return "\xFF\xD8\xFF\xC0" .. string.pack(">I2 B I2 I2 B BBB", 11, 8, height, width, 1, 1, 0x11, 0) .. "\xFF\xD9"
end

describe("image_native", function()
  for _, type_name in ipairs(types) do
    it("makes a thumbnail of a landscape " .. type_name, function()
      local bytes, width, height = image.thumbnail(image.sample { width = 1200, height = 800, type = type_name })
      assert.are.same({ 320, 213 }, { width, height })
      local found = image.probe(bytes)
      assert.are.same({ type = type_name, width = 320, height = 213, orientation = 1 }, found)
    end)

    it("makes a thumbnail of a portrait " .. type_name, function()
      local _, width, height = image.thumbnail(image.sample { width = 300, height = 900, type = type_name })
      assert.are.same({ 107, 320 }, { width, height })
    end)

    it("refuses a cut " .. type_name .. " wherever it is cut", function()
      local whole = image.sample { width = 64, height = 48, type = type_name }
      for length = 0, #whole - 1, 7 do
        local code = code_of(image.thumbnail(whole:sub(1, length)))
        assert.is_truthy(code == "truncated" or code == "broken" or code == "not_image", length)
      end
    end)

    it("survives a damaged " .. type_name, function()
      local whole, seed = image.sample { width = 64, height = 48, type = type_name }, os.time()
      math.randomseed(seed)
      for round = 1, 500 do
        local at = math.random(#whole)
        local bytes = whole:sub(1, at - 1) .. string.char(math.random(0, 255)) .. whole:sub(at + 1)
        local thumbnail, message = image.thumbnail(bytes, { max_pixels = 1000000 })
        assert.is_truthy(thumbnail or message, ("seed %d round %d"):format(seed, round))
      end
    end)
  end

  it("brings the longer side of a small picture to 320 as well", function()
    local _, width, height = image.thumbnail(image.sample { width = 2, height = 1, type = "png" })
    assert.are.same({ 320, 160 }, { width, height })
  end)

  it("never makes a side of no pixels", function()
    local _, width, height = image.thumbnail(image.sample { width = 5000, height = 2, type = "png" })
    assert.are.same({ 320, 1 }, { width, height })
  end)

  it("turns a picture upright as its Exif says", function()
    local jpeg = image.sample { width = 640, height = 320, type = "jpeg" }
    for orientation = 1, 8 do
      for _, format in ipairs { "<", ">" } do
        local turned = with_orientation(jpeg, orientation, format)
        assert.are.equal(orientation, image.probe(turned).orientation)
        local _, width, height = image.thumbnail(turned)
        assert.are.same(orientation >= 5 and { 160, 320 } or { 320, 160 }, { width, height })
      end
    end
  end)

  it("refuses what is no picture", function()
    for _, bytes in ipairs { "", "hello", "GIF89a" .. ("\0"):rep(40), "RIFF\0\0\0\0WAVE" .. ("\0"):rep(40) } do
      assert.are.equal("not_image", code_of(image.thumbnail(bytes)))
    end
  end)

  it("refuses a bomb by its header", function()
    assert.are.equal("too_large", code_of(image.thumbnail(png_promise(65535, 65535))))
    assert.are.equal("too_large", code_of(image.thumbnail(png_promise(2 ^ 31 - 1 | 0, 2 ^ 31 - 1 | 0))))
    assert.are.equal("too_large", code_of(image.thumbnail(jpeg_promise(65500, 65500))))
    assert.are.equal("broken", code_of(image.thumbnail(png_promise(0, 10))))
  end)

  it("refuses a JPEG that goes over its pixels too often", function()
    local jpeg = image.sample { width = 64, height = 48, type = "jpeg" }
    local scans = ("\xFF\xDA\0\2"):rep(101)
    assert.are.equal("too_large", code_of(image.thumbnail(jpeg:sub(1, -3) .. scans .. "\xFF\xD9")))
  end)

  it("reads no Exif beyond its end", function()
    local jpeg = image.sample { width = 64, height = 48, type = "jpeg" }
    for _, tiff in ipairs { "II", "II*\0\xFF\xFF\xFF\xFF", "MM\0*\0\0\0\8\xFF\xFF", "II*\0\8\0\0\0\1\0" } do
      local body = "Exif\0\0" .. tiff
      local odd = jpeg:sub(1, 2) .. "\xFF\xE1" .. string.pack(">I2", #body + 2) .. body .. jpeg:sub(3)
      assert.are.equal(1, image.probe(odd).orientation)
    end
  end)

  it("raises for options that make no sense", function()
    assert.has_error(function() image.thumbnail("x", { side = 0 }) end)
    assert.has_error(function() image.thumbnail("x", { max_pixels = "many" }) end)
  end)

  it("keeps memory flat", function()
    local jpeg = image.sample { width = 800, height = 600, type = "jpeg" }
    local function resident()
      local handle = assert(io.open("/proc/self/statm"))
      local _, pages = handle:read("n", "n")
      handle:close()
      return pages
    end
    for _ = 1, 20 do image.thumbnail(jpeg) end
    local before = resident()
    for _ = 1, 100 do image.thumbnail(jpeg) end
    assert.is_true(resident() - before < 2000, "pages grew from " .. before .. " to " .. resident())
  end)
end)
