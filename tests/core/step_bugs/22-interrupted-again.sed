# step_life.c: what was interrupted is interrupted again instead of abandoned
/^void chief__life_force(/,/^}/s/w->forced = true/w->forced = m->stopping/
