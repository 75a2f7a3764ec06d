# step_life.c: an abandoned home never ends
/^void chief__life_late(/,/^}/{/set_home/d}
