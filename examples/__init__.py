"""Each of the five components in a program of its own, without a lab file.

A program is what a `__main__.py` of a Pulumi project may hold, with this repository on
`PYTHONPATH`. Names, addresses and digests are made up.
"""
