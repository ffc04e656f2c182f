build/t2.sh: 4: sidestep: not found
