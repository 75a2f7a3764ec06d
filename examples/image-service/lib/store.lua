-- Which store is configured: S3 when S3_BUCKET is set, else a folder below the data folder.
--
-- The environment is read here and not in app.lua, since `chief check` shows what stands in a worker's args, and a
-- secret key is not to be shown.
local Folder = require "lib.folder"

local store = {}

local function s3_options()
  return {
    endpoint = os.getenv("S3_ENDPOINT"),
    bucket = os.getenv("S3_BUCKET"),
    region = os.getenv("S3_REGION"),
    access_key = os.getenv("S3_ACCESS_KEY"),
    secret_key = os.getenv("S3_SECRET_KEY"),
  }
end

function store.open(data_dir)
  if (os.getenv("S3_BUCKET") or "") == "" then return Folder.open(data_dir .. "/store") end
  return require("lib.s3").open(s3_options())
end

return store
