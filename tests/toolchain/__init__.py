"""Tests of the toolchain: cache, builds, resolution, virtual environment, layers."""
