# step_life.c: the abandonment of an interrupted worker never comes due
/^void chief__life_force(/,/^}/s/set_deadline(m, w, until)/set_deadline(m, w, INT64_MAX)/
