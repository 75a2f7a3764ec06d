/* chief-lua-worker: the process of a worker that is a Lua module, over libchief-lua. A chief starts it. */
#include <chief_lua.h>

int main(void) { return chief_lua_live(); }
