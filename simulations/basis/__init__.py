"""What every part of the simulator may need: progress, and packages that are extras."""

from ._extras import MissingExtra as MissingExtra
from ._progress import Progress as Progress, Watcher as Watcher
