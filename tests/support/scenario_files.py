"""The scenario file that the documentation shows."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "scenarios.md"


def complete_example() -> str:
    """Return the file that uses every key."""
    section = DOCUMENT.read_text("utf-8").partition("## A complete example")[2]
    found = re.search(r"^```toml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]
