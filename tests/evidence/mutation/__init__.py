"""Mutation: the model of isolation is broken in one place at a time, and the evidence has to notice.

`make mutants` makes small changes to the modules in `subjects`, each in a process of its
own, and looks whether the evidence of issue 4 goes red: probes that were recorded of real
networks, the simulator of artefacts, brute force over packets, and planted leaks. What no
evidence notices and a person found to change nothing is in `equivalent.txt`, with the reason.
"""
