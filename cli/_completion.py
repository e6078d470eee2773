"""`gossamer completion`: the script that makes a shell complete commands, options and names."""

from __future__ import annotations

import click


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that lets SHELL complete gossamer's commands, services and ids.

    \b
    bash   eval "$(gossamer completion bash)"     in ~/.bashrc
    zsh    eval "$(gossamer completion zsh)"      in ~/.zshrc
    fish   gossamer completion fish | source      in ~/.config/fish/config.fish

    The script asks the peer at GOSSAMER_HTTP, or 127.0.0.1:8761, for services and ids.
    """
    from click.shell_completion import get_completion_class

    from ._main import main

    kind = get_completion_class(shell)
    assert kind is not None, f"click has lost its support for {shell}"
    click.echo(kind(main, {}, "gossamer", "_GOSSAMER_COMPLETE").source(), nl=False)
