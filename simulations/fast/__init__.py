"""Meshes that are too large to run peer by peer: the protocol's rules as arrays of numbers."""

from ._entry import run_fast as run_fast
