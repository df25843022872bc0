"""The answers of the proof for people and programs: each verb has a module that gives a page and data.

A page is a neutral structure (`page`) that `text` and `markdown` write; data is what
`--format json` prints. `docs/reading-the-matrix.md` says how to read both.
"""
