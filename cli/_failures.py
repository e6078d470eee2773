"""The failures of a command: one sentence for the user, and an exit code."""

from __future__ import annotations

import click


class NegativeAnswer(click.ClickException):
    """The peer answered, and the answer is no: no such service, no instance, not converged."""

    exit_code = 1


class BadInput(click.ClickException):
    """The user asked for something impossible; nothing was changed."""

    exit_code = 2


class NoPeer(click.ClickException):
    """No peer could be reached, or the server that answered is not a peer."""

    exit_code = 3


INTERRUPTED = 130


def sentence(failure: click.ClickException) -> str:
    """Return the sentence for a failure, with a hint at `--help` where that helps."""
    # click puts a list of choices, or a group's whole help, on lines of their own.
    said = harmless(" ".join(failure.format_message().split()))
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        usage = f"see '{failure.ctx.command_path} --help'."
        # click ends a sentence with a question if it has a suggestion.
        return f"{said} S{usage[1:]}" if said.endswith("?") else f"{said.rstrip('.')}; {usage}"
    return said


# Names, reasons and addresses come from the network and are shown on a terminal, where an escape
# sequence could rewrite the screen or the clipboard. `isprintable` is false for control characters,
# for invisible ones that change the direction of the text, and for lone surrogates.
def harmless(text: str) -> str:
    """Return the text with all terminal control characters spelled out, such as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
