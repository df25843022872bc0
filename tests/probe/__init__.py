"""Tests of `probe/`."""
