"""What ends a command early: one sentence for the user and the exit code that goes with it."""

from __future__ import annotations

import click


class NegativeAnswer(click.ClickException):
    """The peer answered, and the answer is no: no such service, no instance, not converged."""

    exit_code = 1


class BadInput(click.ClickException):
    """The user asked for something that cannot be; nothing was changed."""

    exit_code = 2


class NoPeer(click.ClickException):
    """No peer could be reached, or what answered is not one."""

    exit_code = 3


INTERRUPTED = 130


def sentence(failure: click.ClickException) -> str:
    """The one sentence shown for a failure, with the way to the usage where the usage helps."""
    said = harmless(failure.format_message().strip())
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        usage = f"see '{failure.ctx.command_path} --help'."
        # click ends with a question where it has a suggestion.
        return f"{said} S{usage[1:]}" if said.endswith("?") else f"{said.rstrip('.')}; {usage}"
    return said


# Names, reasons and addresses come from the network and end on a terminal: an escape sequence in
# one of them could rewrite the screen or the clipboard. `isprintable` is false for control
# characters, for the invisible ones that turn the direction of the text, and for lone surrogates.
def harmless(text: str) -> str:
    """The text with everything that a terminal might obey spelled out, such as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
