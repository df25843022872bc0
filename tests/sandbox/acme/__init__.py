"""Tests of the sandbox's certificate authority."""
