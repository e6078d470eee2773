"""Commands about the keys that protect a mesh: keygen, and keys list, add, use, remove."""

from __future__ import annotations

from pathlib import Path

import click

from ._client import Client, Json, path_of
from ._failures import BadInput
from ._options import json_option, peer_options
from ._output import note, print_json, say
from ._tables import Column, Row, show

_force = click.option("--force", is_flag=True, help="Do it even if it leaves members behind.")


def _key_id(_ctx: click.Context, _param: click.Parameter, text: str) -> int | str:
    if text == "plain":
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 255:
        return int(text)
    raise click.BadParameter(f"{text!r} is neither 'plain' nor the id of a key, from 1 to 255.")


_key_argument = click.argument("key", metavar="ID|plain", callback=_key_id)


@click.command(short_help="Make a key file for a mesh.")
@click.argument("file", default="gossamer.key", metavar="[FILE]")
@click.option("--id", "key_id", type=int, default=1, show_default=True, help="The key's id.")
@click.option(
    "--plain",
    is_flag=True,
    help="For a mesh that runs without keys: send plain text until 'keys use' changes that.",
)
@json_option
def keygen(file: str, key_id: int, plain: bool, as_json: bool) -> None:
    """Write a new random key to FILE (default: gossamer.key), which only its owner can read.

    \b
    gossamer keygen mesh.key
    gossamer run --key-file mesh.key

    Every peer of the mesh needs a copy.  To replace a key, make the new one with another --id.
    """
    from gossamer.gossip import PLAIN, KeyRing
    from gossamer.peers import GossamerError, make_key, write_key_file

    try:
        key = make_key(key_id)
        ring = KeyRing((key,), PLAIN if plain else key_id, plain)
        write_key_file(file, ring, replace=False)
    except GossamerError as error:
        raise BadInput(str(error)) from error
    fingerprint = key.fingerprint.hex()
    if as_json:
        print_json({"file": file, "id": key_id, "fingerprint": fingerprint, "plain": plain})
        return
    say(f"Wrote key {key_id} ({fingerprint}) to {file}; give every peer of the mesh a copy.")


@click.group(short_help="Show and change the keys that protect the mesh.")
def keys() -> None:
    """Show and change the keys that protect the mesh.

    \b
    gossamer keygen --id 2 next.key      # then copy it to every host, and there:
    gossamer keys add next.key
    gossamer keys use 2                  # once, for the whole mesh
    gossamer keys remove 1               # once, for the whole mesh

    If a known member is not ready for a change, the peer refuses the change and names the member.
    """


@keys.command("list", short_help="Show the keys, and which members accept and use them.")
@peer_options
def list_keys(http: str, as_json: bool) -> None:
    """Show the keys that the peer accepts, and which members accept and use them."""
    _answer(Client(http).get(path_of("keys")), as_json)


@keys.command(short_help="Accept the keys of a file too, at this peer.")
@click.argument("file", metavar="FILE|plain")
@peer_options
def add(file: str, http: str, as_json: bool) -> None:
    """Let the peer accept the keys of FILE too, or plain text.

    Do this at every peer of the mesh, because keys never travel over it.
    The peer reads FILE itself: FILE must be on the peer's machine and belong to its user.
    """
    if file == "plain":
        body: Json = {"plain": True}
    else:
        body = {"file": str(Path(file).absolute())}
    _answer(Client(http).ask("POST", path_of("keys", "add"), body), as_json)


@keys.command(short_help="Let the whole mesh seal with a key.")
@_key_argument
@_force
@peer_options
def use(key: int | str, force: bool, http: str, as_json: bool) -> None:
    """Let the whole mesh seal with a key that all its members accept.

    'plain' lets only this peer send plain text; use it to go back to a mesh without keys.
    """
    body = {"id": key, "force": force}
    _answer(Client(http).ask("POST", path_of("keys", "use"), body), as_json)


@keys.command(short_help="Let the whole mesh stop accepting a key.")
@_key_argument
@_force
@peer_options
def remove(key: int | str, force: bool, http: str, as_json: bool) -> None:
    """Let the whole mesh stop accepting a key, or plain text, that no member uses any more."""
    body = {"id": key, "force": force}
    _answer(Client(http).ask("POST", path_of("keys", "remove"), body), as_json)


def _answer(found: Json, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    members = len(found.get("members", ())) + 1
    rows = [{**row, "members": members, "own": row.get("in_use")} for row in found.get("keys", ())]
    show(_KEY, rows)
    if found.get("plain"):
        note("Plain text is accepted: until you remove it, the mesh is as open as without keys.")


def _accepted_by(row: Row) -> str:
    return f"{row['members'] - len(row.get('lacking', ()))}/{row['members']}"


def _used_by(row: Row) -> str:
    return f"{len(row.get('used_by', ())) + bool(row.get('own'))}/{row['members']}"


def _remark(row: Row) -> str:
    lacking = list(map(str, row.get("lacking", ())))
    if not lacking:
        return ""
    more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
    return f"not accepted by {', '.join(lacking[:5])}{more}"


_KEY = (
    Column("KEY", lambda row: str(row.get("id"))),
    Column("FINGERPRINT", lambda row: str(row.get("fingerprint") or "")),
    Column("HERE", lambda row: "used" if row.get("in_use") else "accepted"),
    Column("ACCEPTED", _accepted_by, right=True),
    Column("USED", _used_by, right=True),
    Column("REMARK", _remark, ordinary="", below=True),
)
