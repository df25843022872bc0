"""Thousands of cases: the proof against other witnesses, the planner on random labs, stand-ins against recordings.

The proof's witnesses are packets, rendered files, brute force, planted leaks and mutants.
"""
