# Flags of everything that this project compiles; nothing of it reaches a user of the installed libraries.
add_library(chief_flags INTERFACE)
target_compile_definitions(chief_flags INTERFACE _GNU_SOURCE)
target_compile_options(chief_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wpointer-arith -Wdouble-promotion -Wimplicit-fallthrough
  # snprintf cuts what is too long, and under a sanitizer gcc no longer sees how long that can be.
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
set(CMAKE_COMPILE_WARNING_AS_ERROR ${CHIEF_WERROR})

if(CHIEF_SANITIZE)
  set(sanitize -fsanitize=${CHIEF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(chief_flags INTERFACE ${sanitize})
  target_link_options(chief_flags INTERFACE ${sanitize})
endif()

# Code that libFuzzer can follow; only its targets (tests/fuzz) are programs of its own.
if(CHIEF_FUZZ)
  target_compile_options(chief_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# A shared library of ours must name all it needs. A sanitizer's runtime comes from the program, so not there.
set(CHIEF_NO_UNDEFINED "")
if(NOT CHIEF_SANITIZE)
  set(CHIEF_NO_UNDEFINED LINKER:-z,defs)
endif()
