"""Tests mirror the tree: one folder or module for each part."""
