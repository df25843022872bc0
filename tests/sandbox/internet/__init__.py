"""Tests of the sandbox's internet."""
