# The one list of what is compiled and installed. A test compares it with the rockspec and with what is on disk.
set(CHIEF_CORE_SOURCES
  core/src/alloc.c
  core/src/err.c
  core/src/plat.c)

set(CHIEF_LUA_SOURCES)

set(CHIEF_PROGRAM_SOURCES)

set(CHIEF_LUA_MODULES)
