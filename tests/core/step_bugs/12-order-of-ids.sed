# agenda.c: what is due together goes by falling id
s/ : x < y;/ : x > y;/
