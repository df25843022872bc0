"""A second formulation of who reaches whom: single packets, followed from place to place through a plan's records.

It shares nothing with `lab/isolation` but the names of the verdicts. Where the proof
reasons about pairs, rules and reasons, this tries every concrete address of a small lab
and looks where the packet ends. What nobody said is tried both ways.
"""
