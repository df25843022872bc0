"""Promises of the planner, held on random labs and their changes."""
