"""Planted leaks: labs with one mistake each, which the proof has to find, and labs with none, which it must not accuse.

`bases` has a few labs without a leak, `planting` the small changes that may be made to
one of them, the modules called `*_leaks` the tables of mistakes, and `harmless` that of
changes after which a lab is as tight as before. A mistake that no lab file can express
is planted in the plan's records.
"""
