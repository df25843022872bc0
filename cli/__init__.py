"""The command `lab`: arguments in, calls to `lab` and `probe`, text and an exit code out.

It prints and decides nothing. Exit codes: 0 fine, 1 violations or differences, 2 bad
input (what Typer itself uses for a wrong argument).
"""
