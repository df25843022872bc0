"""The proof held against other witnesses: packets, rendered files, brute force, planted leaks, mutants."""
