"""Evaluators of rendered artefacts: a packet and what a machine would load, to a verdict with its reason.

They know nothing of the planner. That independence is what makes their agreement with the proof evidence.
"""
