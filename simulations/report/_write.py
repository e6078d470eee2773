"""A report as files: the document, and the pictures made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gossamer.simulations.basis import MissingExtra

from ._read import report_of
from ._report import Report

DOCUMENT = "report.json"


def require_plots() -> None:
    """Raise `MissingExtra` when matplotlib is not installed, before anybody waits for a plot."""
    try:
        import matplotlib.figure  # noqa: F401 - asked for, not used
    except ImportError:
        raise MissingExtra("a plot", "sim") from None


def prepare_directory(directory: Path) -> None:
    """Make a directory for a report, and find out whether it can be written to; raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / f".{DOCUMENT}.new"
    probe.write_bytes(b"")
    probe.unlink()


def document_text(document: Mapping[str, Any]) -> str:
    """A report's document as text: a line for each of its parts, since samples are long."""
    parts = (
        f"  {json.dumps(name)}: {json.dumps(part, allow_nan=False)}"
        for name, part in document.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_report(report: Report | Mapping[str, Any], directory: Path | str) -> list[Path]:
    """Write `report.json`, then each plot as PNG and SVG, and return the paths.

    A plot for which there is nothing to show (no crash, no change) is left out.
    Raises OSError when a file cannot be written, and `MissingExtra` without matplotlib;
    `report.json` has been written by then.
    """
    found = report_of(report)
    folder = Path(directory)
    prepare_directory(folder)
    path = folder / DOCUMENT
    path.write_text(document_text(found.as_json()), encoding="utf-8")
    return [path, *write_plots(found, folder)]


def write_plots(report: Report, directory: Path) -> list[Path]:
    """Write each plot as PNG and SVG, and return the paths; raises OSError and `MissingExtra`."""
    require_plots()
    from ._plots import PLOTS
    from ._style import save, style

    written = []
    with style():
        for name, draw in PLOTS.items():
            figure = draw(report)
            if figure is not None:
                written += save(figure, directory, name)
    return written
