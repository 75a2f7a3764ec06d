rockspec_format = "3.0"
package = "chief"
version = "scm-1"
source = {
  url = "git+file://.",
}
description = {
  summary = "Runs workers, keeps them running, stops them without losing work",
  detailed = [[
chief runs a named set of workers (plain Lua modules, or C), each in a state and thread of its own, restarts the ones
that fail, and stops all of them inside a time limit without losing what they had accepted.]],
  license = "Apache-2.0",
  labels = { "concurrency", "threads", "supervisor", "worker" },
}
supported_platforms = { "linux" }
dependencies = {
  "lua >= 5.4, < 5.5",
  "argparse >= 0.7",
}
external_dependencies = {
  UV = { header = "uv.h" },
  CJSON = { header = "cjson/cJSON.h" },
}
build = {
  type = "builtin",
  modules = {
    ["chief.core"] = {
      sources = {
        -- The lists of cmake/sources.cmake.
        "core/src/alloc.c",
        "core/src/err.c",
        "core/src/plat.c",
      },
      defines = { "CHIEF_IN_ROCK", "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "core/include", "bindings/lua/include", "$(UV_INCDIR)", "$(CJSON_INCDIR)" },
      libdirs = { "$(UV_LIBDIR)", "$(CJSON_LIBDIR)" },
      libraries = { "uv", "cjson" },
    },
  },
  install = {
    bin = { chief = "bindings/lua/bin/chief" },
  },
}
