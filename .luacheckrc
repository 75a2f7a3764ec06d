std = "lua54"
max_line_length = 120
exclude_files = { "build", "**/node_modules" }
files["tests/**/*_spec.lua"] = { std = "+busted" }
files["examples/**/*_spec.lua"] = { std = "+busted" }
files[".busted"] = { std = "lua54" }
files["**/*.rockspec"] = { std = "rockspec" }
files["tests/fuzz/app.lua"] = { ignore = { "121", "122" } } -- it takes away what would reach out of the program
