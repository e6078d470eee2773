"""The native HTTP interface."""

from ._native import serve_http as serve_http
