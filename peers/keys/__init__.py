"""The mesh's keys: their file, and how peers agree on a change of keys."""

from ._key_actions import KeyActions as KeyActions, KeyName as KeyName
from ._key_file import (
    KeyFile as KeyFile,
    StrPath as StrPath,
    make_key as make_key,
    read_key_file as read_key_file,
    write_key_file as write_key_file,
)
from ._key_records import KEYS_RECORD as KEYS_RECORD
from ._keys import Keys as Keys
from ._statistics import KEYS as KEYS
