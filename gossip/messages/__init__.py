"""The bytes that travel: datagrams, messages, updates, and the entries of an exchange."""

from ._entries import (
    Dropped as Dropped,
    Piece as Piece,
    decode_entry as decode_entry,
    encode_dropped as encode_dropped,
    encode_part as encode_part,
)
from ._messages import (
    KIND_LIMIT as KIND_LIMIT,
    ROOT_SIZE as ROOT_SIZE,
    Ack as Ack,
    Gone as Gone,
    Held as Held,
    Hold as Hold,
    Leave as Leave,
    Message as Message,
    Nack as Nack,
    NotMe as NotMe,
    Ping as Ping,
    PingReq as PingReq,
    Relayed as Relayed,
)
from ._packet import (
    Packet as Packet,
    decode_body as decode_body,
    encode_body as encode_body,
    messages_size as messages_size,
    update_cost as update_cost,
)
from ._updates import (
    Delta as Delta,
    Head as Head,
    LaterUpdate as LaterUpdate,
    decode_update as decode_update,
    encode_delta as encode_delta,
    encode_head as encode_head,
    owner_name as owner_name,
)
