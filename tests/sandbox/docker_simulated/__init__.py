"""Tests of the simulated Docker Engine."""
