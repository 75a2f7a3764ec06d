# model.c: an event of an older generation is heard
s/return m->members\[id\].generation == generation ? /return generation + 1 > 0 ? /
