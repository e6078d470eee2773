"""The native HTTP interface: a mount under /v1/ and /health/."""

from ._limits import NativeLimits as NativeLimits
from ._mount import NativeMount as NativeMount
