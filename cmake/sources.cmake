# The one list of what is compiled and installed. A test compares it with the rockspec and with what is on disk.
set(CHIEF_CORE_SOURCES
  core/src/act.c
  core/src/agenda.c
  core/src/alloc.c
  core/src/catch.c
  core/src/chief.c
  core/src/context.c
  core/src/err.c
  core/src/event.c
  core/src/finish.c
  core/src/inbox.c
  core/src/json.c
  core/src/log.c
  core/src/loop.c
  core/src/map.c
  core/src/model.c
  core/src/model_link.c
  core/src/names.c
  core/src/plat.c
  core/src/policy.c
  core/src/pool.c
  core/src/request.c
  core/src/rule.c
  core/src/run.c
  core/src/runner.c
  core/src/snapshot.c
  core/src/state.c
  core/src/step.c
  core/src/step_emit.c
  core/src/step_life.c
  core/src/step_request.c
  core/src/step_stop.c
  core/src/unit.c
  core/src/value.c
  core/src/wait.c
  core/src/worker.c)

set(CHIEF_LUA_SOURCES)

set(CHIEF_PROGRAM_SOURCES)

set(CHIEF_LUA_MODULES)
