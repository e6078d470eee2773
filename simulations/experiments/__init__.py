"""Published results, run again: SWIM 2002, Lifeguard 2017, and the theory of epidemics.

Each is a module to be run, `python -m gossamer.simulations.experiments.swim2002`, and writes what
the paper has beside what came out here, with a sentence on each difference that is not chance.
"""

from ._harness import Options as Options, mesh_seed as mesh_seed
from ._table import Result as Result, Table as Table, difference as difference
