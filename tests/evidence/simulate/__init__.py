"""Evaluators of rendered artefacts, against what the real programs decided."""
