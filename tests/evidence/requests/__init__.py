"""Ten thousand generated requests for each API of the sandbox: no defect, no answer of another form, sound state.

A run that fails prints the shortest requests that make it fail, and with them the line that repeats it.
"""
