-- The image service: pictures come in over HTTP, get a thumbnail and are stored.
--
--   api --uploads--> resizer --thumbs--> uploader
--
-- The pipeline starts at its end and stops at its beginning, so whatever the api has accepted is stored before the
-- service ends. PORT, HOST, DATA_DIR and the limits below come from the environment, as does S3 (see lib/store.lua).
local source = debug.getinfo(1, "S").source
local folder = source:match("^@(.*)/[^/]*$") or "."

local function setting(name, otherwise)
  local value = os.getenv(name)
  if value == nil or value == "" then return otherwise end
  return value
end

local function number(name, otherwise)
  local text = setting(name, otherwise)
  return tonumber(text) or error(("%s should be a number, got %s"):format(name, text), 0)
end

local QUEUE = 64
local data_dir = setting("DATA_DIR", folder .. "/data")
local drain = number("DRAIN_TIMEOUT", 10)

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
      restart = { policy = "on_failure", delay = 0.5, max_delay = 30 },
    },
    resizer = {
      module = "workers.resizer",
      receives = { "uploads" },
      sends = { "thumbs" },
      after = { "uploader" },
      args = { data_dir = data_dir, side = 320, max_pixels = number("MAX_PIXELS", 64000000) },
      restart = { policy = "on_failure", delay = 0.5, max_delay = 30 },
    },
    api = {
      module = "workers.api",
      sends = { "uploads" },
      after = { "resizer" },
      args = {
        host = setting("HOST", "127.0.0.1"),
        port = number("PORT", 8080),
        data_dir = data_dir,
        queue = QUEUE,
        drain = drain,
        max_bytes = number("MAX_BYTES", 32 * 1024 * 1024),
        max_pixels = number("MAX_PIXELS", 64000000),
        max_connections = number("MAX_CONNECTIONS", 512),
        idle_timeout = number("IDLE_TIMEOUT", 10),
        request_timeout = number("REQUEST_TIMEOUT", 120),
      },
      restart = "on_failure",
    },
  },
}
