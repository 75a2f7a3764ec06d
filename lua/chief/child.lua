-- The main program of a worker's process where that is a Lua interpreter: `lua -l chief.child`, which the chief starts.
os.exit(require("chief.core").child())
