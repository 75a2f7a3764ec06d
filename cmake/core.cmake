# libchief: compiled once, linked as a shared and as a static library.
find_package(Threads REQUIRED)

add_library(chief_objects OBJECT ${CHIEF_CORE_SOURCES})
target_include_directories(chief_objects PUBLIC core/include)
target_link_libraries(chief_objects PUBLIC PkgConfig::UV PkgConfig::CJSON Threads::Threads PRIVATE chief_flags)

add_library(chief SHARED)
target_link_libraries(chief PRIVATE chief_objects chief_flags PkgConfig::UV PkgConfig::CJSON Threads::Threads)
target_link_options(chief PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/core/chief.map ${CHIEF_NO_UNDEFINED})
set_target_properties(chief PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${CHIEF_ABI} LINK_DEPENDS ${PROJECT_SOURCE_DIR}/core/chief.map)

add_library(chief_static STATIC)
target_link_libraries(chief_static PUBLIC chief_objects)
set_target_properties(chief_static PROPERTIES OUTPUT_NAME chief)

# By add_subdirectory as by find_package.
add_library(chief::chief ALIAS chief)
add_library(chief::static ALIAS chief_static)

# Hosts plug-ins in processes of their own; where it is under the prefix, it is found from the library (core/src/program.c).
set(CHIEF_PROGRAM_DIR libexec/chief)
add_executable(chief-worker core/program/chief_worker.c)
target_link_libraries(chief-worker PRIVATE chief chief_flags)
set_target_properties(chief-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CHIEF_PROGRAM_DIR}
  INSTALL_RPATH "$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")

foreach(library chief chief_static)
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/core/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

# Relative to the file itself, so that `cmake --install --prefix` and a moved tree stay right.
file(RELATIVE_PATH CHIEF_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/libchief.pc.in libchief.pc @ONLY)
install(TARGETS chief chief_static)
install(TARGETS chief-worker DESTINATION ${CHIEF_PROGRAM_DIR})
install(FILES core/include/chief.h TYPE INCLUDE)
install(FILES ${PROJECT_BINARY_DIR}/libchief.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(chief_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chief)
file(RELATIVE_PATH CHIEF_CONFIG_TO_PREFIX ${CMAKE_INSTALL_PREFIX}/${chief_config_dir} ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/chief-config.cmake.in chief-config.cmake @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/chief-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/chief-config.cmake ${PROJECT_BINARY_DIR}/chief-config-version.cmake
  DESTINATION ${chief_config_dir})
