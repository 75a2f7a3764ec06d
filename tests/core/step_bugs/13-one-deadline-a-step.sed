# step.c: a step deals with one deadline only
s/while (chief__agenda_take/if (chief__agenda_take/
