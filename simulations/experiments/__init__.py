"""Measurements of papers, repeated: SWIM 2002, Lifeguard 2017, and the theory of epidemics.

Each module is a program, such as `python -m gossamer.simulations.experiments.swim2002`.  It writes
the paper's figures beside ours, and explains each difference that is not chance.
"""

from ._harness import Options as Options, mesh_seed as mesh_seed
from ._table import Result as Result, Table as Table, difference as difference
