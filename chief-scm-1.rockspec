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
        "core/src/act.c",
        "core/src/agenda.c",
        "core/src/alloc.c",
        "core/src/call.c",
        "core/src/catch.c",
        "core/src/channel.c",
        "core/src/chief.c",
        "core/src/context.c",
        "core/src/err.c",
        "core/src/event.c",
        "core/src/finish.c",
        "core/src/hand.c",
        "core/src/inbox.c",
        "core/src/json.c",
        "core/src/log.c",
        "core/src/loop.c",
        "core/src/mailbox.c",
        "core/src/map.c",
        "core/src/model.c",
        "core/src/model_link.c",
        "core/src/msg.c",
        "core/src/names.c",
        "core/src/party.c",
        "core/src/plat.c",
        "core/src/plugin.c",
        "core/src/policy.c",
        "core/src/pool.c",
        "core/src/post.c",
        "core/src/recv.c",
        "core/src/request.c",
        "core/src/rule.c",
        "core/src/run.c",
        "core/src/runner.c",
        "core/src/select.c",
        "core/src/send.c",
        "core/src/snapshot.c",
        "core/src/state.c",
        "core/src/step.c",
        "core/src/step_emit.c",
        "core/src/step_life.c",
        "core/src/step_request.c",
        "core/src/step_stop.c",
        "core/src/unit.c",
        "core/src/value.c",
        "core/src/wait.c",
        "core/src/worker.c",
      },
      defines = { "CHIEF_IN_ROCK", "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "core/include", "bindings/lua/include", "$(UV_INCDIR)", "$(CJSON_INCDIR)" },
      libdirs = { "$(UV_LIBDIR)", "$(CJSON_LIBDIR)" },
      libraries = { "uv", "cjson" },
    },
    ["chief.app"] = "lua/chief/app.lua",
    ["chief.arguments"] = "lua/chief/arguments.lua",
    ["chief.build"] = "lua/chief/build.lua",
    ["chief.chief"] = "lua/chief/chief.lua",
    ["chief.cli"] = "lua/chief/cli.lua",
    ["chief.columns"] = "lua/chief/columns.lua",
    ["chief.configuration"] = "lua/chief/configuration.lua",
    ["chief.graph"] = "lua/chief/graph.lua",
    ["chief.handlers"] = "lua/chief/handlers.lua",
    ["chief.hooks"] = "lua/chief/hooks.lua",
    ["chief"] = "lua/chief/init.lua",
    ["chief.options"] = "lua/chief/options.lua",
    ["chief.problems"] = "lua/chief/problems.lua",
    ["chief.schema"] = "lua/chief/schema.lua",
    ["chief.search"] = "lua/chief/search.lua",
    ["chief.source"] = "lua/chief/source.lua",
    ["chief.spec"] = "lua/chief/spec.lua",
    ["chief.suggest"] = "lua/chief/suggest.lua",
  },
  install = {
    bin = { chief = "bindings/lua/bin/chief" },
  },
}
