# The worker host as a library, the program over it, and the module that `require "chief"` loads.
pkg_search_module(LUA REQUIRED IMPORTED_TARGET lua5.4 lua-5.4 lua54 "lua>=5.4 lua<5.5")
set(lua_dir share/lua/5.4)

add_library(chief-lua SHARED ${CHIEF_LUA_SOURCES})
target_include_directories(chief-lua PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/bindings/lua/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(chief-lua PUBLIC chief PRIVATE chief_flags PkgConfig::LUA PkgConfig::UV PkgConfig::CJSON rt)
target_link_options(chief-lua PRIVATE
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/bindings/lua/chief_lua.map ${CHIEF_NO_UNDEFINED})
set_target_properties(chief-lua PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${CHIEF_ABI}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/bindings/lua/chief_lua.map INSTALL_RPATH "$ORIGIN")

add_library(chief::lua ALIAS chief-lua)

add_executable(chief-program bindings/lua/program.c)
target_link_libraries(chief-program PRIVATE chief-lua chief_flags PkgConfig::LUA)
set_target_properties(chief-program PROPERTIES OUTPUT_NAME chief INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/${lua_dir})
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/lua/chief ${PROJECT_BINARY_DIR}/${lua_dir}/chief SYMBOLIC)

# Hosts Lua workers in processes of their own.
add_executable(chief-lua-worker bindings/lua/worker.c)
target_link_libraries(chief-lua-worker PRIVATE chief-lua chief_flags)
set_target_properties(chief-lua-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CHIEF_PROGRAM_DIR}
  INSTALL_RPATH "$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")

# Built from the same files with the same defines as the rock, so that the Lua tests run what LuaRocks installs.
add_library(lua_module MODULE ${CHIEF_CORE_SOURCES} ${CHIEF_LUA_SOURCES})
target_compile_definitions(lua_module PRIVATE CHIEF_IN_ROCK)
target_include_directories(lua_module PRIVATE core/include bindings/lua/include ${LUA_INCLUDE_DIRS})
target_link_libraries(lua_module PRIVATE chief_flags PkgConfig::UV PkgConfig::CJSON Threads::Threads rt)
set_target_properties(lua_module PROPERTIES PREFIX "" OUTPUT_NAME core LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua/chief)

configure_file(cmake/libchief-lua.pc.in libchief-lua.pc @ONLY)
install(TARGETS chief-lua chief-program)
install(TARGETS chief-lua-worker DESTINATION ${CHIEF_PROGRAM_DIR})
install(FILES bindings/lua/include/chief_lua.h TYPE INCLUDE)
install(FILES ${PROJECT_BINARY_DIR}/libchief-lua.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CHIEF_LUA_MODULES} DESTINATION ${lua_dir}/chief)

# One of the two man pages is made of the manual, where there is a Lua to do it.
find_program(CHIEF_LUA_PROGRAM NAMES lua5.4 lua54 lua)
install(FILES docs/man/chief.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(CHIEF_LUA_PROGRAM)
  set(app_page ${PROJECT_BINARY_DIR}/man/chief-app.5)
  add_custom_command(OUTPUT ${app_page} DEPENDS docs/man/generate.lua docs/app-file.md
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND ${CHIEF_LUA_PROGRAM} ${PROJECT_SOURCE_DIR}/docs/man/generate.lua ${PROJECT_SOURCE_DIR}/docs/app-file.md > ${app_page}
    VERBATIM)
  add_custom_target(chief-man ALL DEPENDS ${app_page})
  install(FILES ${app_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
endif()
