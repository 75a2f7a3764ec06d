-- The image service: pictures come in over HTTP, get a thumbnail and are stored.
--
--   api --uploads--> resizer/1, resizer/2 --thumbs--> uploader
--
-- The pipeline starts at its end and stops at its beginning, so whatever the api has accepted is stored before the
-- service ends. With --isolation process the other two run in processes as well. PORT, HOST, DATA_DIR and the limits
-- below come from the environment, as does S3 (see lib/store.lua).
local source = debug.getinfo(1, "S").source
local folder = source:match("^@(.*)/[^/]*$") or "."

local function setting(name, otherwise)
  local value = os.getenv(name)
  if value == nil or value == "" then return otherwise end
  return value
end

local function number(name, otherwise, least, most)
  local text = setting(name, otherwise)
  local value = tonumber(text)
  if value and value >= least and value <= (most or math.huge) then return value end
  local range = most and ("from %d to %d"):format(least, most) or ("of %d or more"):format(least)
  error(("the environment variable %s should be a number %s, got %s"):format(name, range, text), 0)
end

local function whole(name, otherwise, least, most)
  return math.tointeger(number(name, otherwise, least, most))
    or error(("the environment variable %s should be a whole number"):format(name), 0)
end

local QUEUE = 64
local RESIZERS = 2
-- Tells the pictures that this run accepts, which are in a queue, from those that an earlier one has left.
local RUN = ("%x-%x"):format(os.time(), math.random(0))
local data_dir = setting("DATA_DIR", folder .. "/data")
local drain = number("DRAIN_TIMEOUT", 10, 0)

-- What fails time and again without an end in sight (a port in use, a data folder that cannot be written, a wrong key)
-- ends the service with exit code 70; what passes by itself (a store that is away, a full disk) is waited for.
local LIMITED = { policy = "on_failure", delay = 0.1, max_delay = 5, max_restarts = 5, window = 30 }

return {
  name = "image-service",
  channels = {
    uploads = { capacity = QUEUE, delivery = "at_least_once", max_deliveries = 0 },
    thumbs = { capacity = QUEUE, delivery = "at_least_once", max_deliveries = 0 },
  },
  workers = {
    uploader = {
      module = "workers.uploader",
      receives = { "thumbs" },
      args = { data_dir = data_dir, drain = drain },
      restart = LIMITED,
      critical = true,
    },
    resizer = {
      module = "workers.resizer",
      receives = { "uploads" },
      sends = { "thumbs" },
      after = { "uploader" },
      count = RESIZERS,
      -- A library that decodes what strangers send is the one that crashes or leaks: each resizer has its own process.
      isolation = "process",
      memory_limit = "256MB",
      args = { data_dir = data_dir, side = 320, max_pixels = whole("MAX_PIXELS", 64000000, 1), run = RUN,
        resizers = RESIZERS },
      restart = { policy = "on_failure", delay = 0.5, max_delay = 30 },
    },
    api = {
      module = "workers.api",
      sends = { "uploads" },
      after = { "resizer" },
      args = {
        host = setting("HOST", "127.0.0.1"),
        port = whole("PORT", 8080, 1, 65535),
        data_dir = data_dir,
        queue = QUEUE,
        run = RUN,
        drain = drain,
        max_bytes = whole("MAX_BYTES", 32 * 1024 * 1024, 1),
        max_pixels = whole("MAX_PIXELS", 64000000, 1),
        max_connections = whole("MAX_CONNECTIONS", 512, 1),
        idle_timeout = number("IDLE_TIMEOUT", 10, 0),
        request_timeout = number("REQUEST_TIMEOUT", 120, 0),
      },
      restart = LIMITED,
      critical = true,
    },
  },
}
