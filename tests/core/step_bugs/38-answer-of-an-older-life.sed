# step.c: an answer about an older generation decides, too
s/ || w->generation != event->generation//
