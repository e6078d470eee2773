import os
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gossamer.peers.model import ConfigError


def read_table(path: str | os.PathLike[str], known: Sequence[str]) -> dict[str, Any]:
    """Return the settings in a file, with their names and types checked.

    A dash in a key means the same as an underscore.
    Raises `ConfigError` that names the file and the key.
    """
    try:
        table = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError("config", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config", f"{path} is not TOML: {error}") from error
    given: dict[str, Any] = {}
    for written, value in table.items():
        key = written.replace("-", "_")
        if key not in known:
            raise unknown_key(written, known, f" in {path}")
        if key in given:
            raise ConfigError(key, f"{path}: {key} is given twice, with a dash and without")
        given[key] = _typed(key, value, path)
    return given


def _typed(key: str, value: object, path: str | os.PathLike[str]) -> object:
    match key, value:
        case "join", list() if all(type(each) is str for each in value):
            return tuple(value)
        case "http" | "dns", list() if all(type(each) is str for each in value):
            return tuple(value)
        case "serve", dict() if all(_is_served(each) for each in value.values()):
            return {name: tuple(at) if type(at) is list else at for name, at in value.items()}
        case "protocol", dict():
            return {str(name).replace("-", "_"): each for name, each in value.items()}
        case ("join", _):
            wanted = "a list of texts"
        case ("protocol", _):
            wanted = "a table"
        case ("serve", _):
            wanted = "a table of addresses"
        case ("http" | "dns", list()):
            wanted = "text in quotes, or a list of such"
        case _ if type(value) is str:
            return value
        case _:
            wanted = "text in quotes"
    raise ConfigError(key, f"{path}: {key} must be {wanted}, not {value!r}")


def _is_served(value: object) -> bool:
    return type(value) is str or (type(value) is list and all(type(each) is str for each in value))


def unknown_key(key: str, known: Sequence[str], where: str) -> ConfigError:
    """Return the error for an unknown key, with the key that the user probably meant."""
    near = get_close_matches(key.replace("-", "_"), known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(known)}"
    return ConfigError(key, f"unknown key {key!r}{where}: {remedy}")
