# Identifies the code that computes a result.
#
# The version alone is not enough: a developer who tunes the protocol sweeps, changes a line, and
# sweeps again, all with one version, and must not get the results of the earlier code.

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from gossamer import __version__

# What a result depends on; plots, tables and this folder it does not.
_FILES: Final = (
    "gossip/**/*.py",
    "peers/**/*.py",
    "simulations/*.py",
    "simulations/basis/*.py",
    "simulations/scenario/*.py",
    "simulations/faithful/*.py",
    "simulations/fast/*.py",
)


@cache
def edition() -> str:
    """Return the version of gossamer and a fingerprint of the code that simulates."""
    root = Path(__file__).parent.parent.parent
    digest = sha256()
    for files in _FILES:
        # The folder itself may be a link, which a pattern does not follow.
        folder, _, pattern = files.partition("/")
        for path in sorted((root / folder).glob(pattern)):
            text = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {len(text)}\n".encode())
            digest.update(text)
    return f"{__version__}+{digest.hexdigest()[:12]}"
