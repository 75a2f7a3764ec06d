# model.c: the id of a removed worker is given away while its abandoned home lives
s/w->name != NULL || w->home != HOME_NONE/w->name != NULL/
