"""Tests of segments and guests."""
