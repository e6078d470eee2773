"""The output of commands: JSON for programs, sentences for people."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from ._failures import harmless


def print_json(document: Mapping[str, object], *, indent: int | None = 2) -> None:
    """One document on stdout; names in other scripts stay readable, control characters do not."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    # json.dumps escapes only what JSON must; a terminal also obeys the C1 controls.
    if not all(c.isprintable() or c == "\n" for c in text):
        text = json.dumps(document, indent=indent)
    click.echo(text)


def say(text: str) -> None:
    """A sentence that is the answer, on stdout."""
    click.echo(harmless(text))


def note(text: str) -> None:
    """A sentence beside the answer, on stderr, where it spoils no pipe."""
    click.echo(harmless(text), err=True)
