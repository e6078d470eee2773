"""The bytes that travel: datagrams, updates, and the entries of an exchange."""

from ._entries import (
    Gone as Gone,
    Piece as Piece,
    decode_entry as decode_entry,
    encode_gone as encode_gone,
    encode_part as encode_part,
)
from ._packet import (
    ACK as ACK,
    GONE as GONE,
    HELD as HELD,
    HOLD as HOLD,
    LEAVE as LEAVE,
    NACK as NACK,
    NOT_ME as NOT_ME,
    PING as PING,
    PING_REQ as PING_REQ,
    RELAYED as RELAYED,
    ROOT_SIZE as ROOT_SIZE,
    Delta as Delta,
    Head as Head,
    Message as Message,
    Packet as Packet,
    decode_body as decode_body,
    decode_update as decode_update,
    encode_body as encode_body,
    encode_delta as encode_delta,
    encode_head as encode_head,
    owner_name as owner_name,
    update_cost as update_cost,
)
