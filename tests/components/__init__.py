"""Tests of the components against a recording engine: what is registered, with which options."""
