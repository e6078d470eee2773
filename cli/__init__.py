"""The command line of Gossamer; `main` is the whole of it."""

from ._main import main as main
