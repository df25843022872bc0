"""Tests of engines, images and the front socket."""
