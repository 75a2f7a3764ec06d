# policy.c: the first delay is already multiplied
s/k > 0 ? k - 1 : 0/k/
