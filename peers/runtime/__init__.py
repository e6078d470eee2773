"""A running peer: what drives the protocol and the registry on trio."""

from ._fronts import Fronts as Fronts
from ._life import Life as Life
from ._observers import epoch_file as epoch_file, event_log as event_log
from ._peer import Peer as Peer
from ._watch import Watch as Watch
