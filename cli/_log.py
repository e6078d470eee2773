"""The log of `gossamer run`: its settings, and the two formats in which it is written.

A program that embeds a peer configures `logging` itself.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Literal

from ._failures import BadInput

_FORMATS = ("text", "json")
_LEVELS = ("debug", "info", "warning", "error", "critical")
_logger = logging.getLogger("gossamer")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The format of the log, and its lowest level."""

    format: Literal["text", "json"] = "text"
    level: str = "info"

    @classmethod
    def read(
        cls, given: Mapping[str, Any], written: Mapping[str, Any], file: str | None
    ) -> LogSettings:
        """Return the settings of the command line, or else those of its file; raises `BadInput`."""
        found: dict[str, Any] = {}
        for name, choices in (("log_format", _FORMATS), ("log_level", _LEVELS)):
            value = given.get(name) or written.get(name)
            if value is None:
                continue
            chosen = value.lower() if name == "log_level" else value
            if chosen not in choices:
                where = "" if given.get(name) else f"{file}: "
                known = ", ".join(choices)
                raise BadInput(f"{where}{name} must be one of {known}, not {value!r}")
            found[name.removeprefix("log_")] = chosen
        return cls(**found)


def configure_logging(
    format: Literal["text", "json"] = "text",
    level: str = "info",
    stream: IO[str] | None = None,
) -> None:
    """Send Gossamer's log to stderr (or `stream`), one line for each message."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level.upper())
    _logger.propagate = False


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO peer-a: peer-b joined at 10.0.0.2:7940`."""

    def format(self, record: logging.LogRecord) -> str:
        peer = getattr(record, "peer", None)
        who = f" {peer}:" if peer else ""
        line = f"{_moment(record)} {record.levelname}{who} {record.getMessage()}"
        # Names come from the network and are shown on terminals.
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object with time, level, message, the peer's name, the event and its member."""

    def format(self, record: logging.LogRecord) -> str:
        shown: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        for name in ("peer", "event", "member"):
            if (value := getattr(record, name, None)) is not None:
                shown[name] = value
        if record.exc_info:
            shown["error"] = self.formatException(record.exc_info)
        return json.dumps(shown)


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
