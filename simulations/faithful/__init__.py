"""The faithful simulator: the protocol's own code and the registry's merge in virtual time."""

from ._run import run_faithful as run_faithful
from ._theory import theory as theory
