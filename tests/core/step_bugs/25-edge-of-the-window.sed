# intensity.c: a failure exactly at the end of the window does not count
s/<= in->window/< in->window/
