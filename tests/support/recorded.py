"""Bytes of each form as the first version wrote them; all later versions must read them.

`recorded.json` says of each what it is.  It is added to and never changed: a test that fails with
it has found a version that would not understand its neighbours.
"""

import json
from pathlib import Path

EPOCH = 1_700_000_000_000
ROOT = bytes(range(16))

_PATH = Path(__file__).parent / "recorded.json"
_ALL: list[dict[str, str]] = json.loads(_PATH.read_text(encoding="utf-8"))


def recorded(form: str) -> dict[str, bytes]:
    """Return the recorded bytes of a form, by what they say."""
    return {each["says"]: bytes.fromhex(each["bytes"]) for each in _ALL if each["form"] == form}


def forms() -> set[str]:
    """Return the names of all forms that were recorded."""
    return {each["form"] for each in _ALL}
