"""The bytes that travel: datagrams, messages, updates, and the entries of an exchange.

The following is frozen, so that peers of different versions understand each other:

    header     version 1, its fields and its two forms (sealing/_seal.py, sealing/keyed_seal.py)
    body       its first four items: source, epoch, messages, updates (_packet.py)
    messages   kinds 0 to 9, and the items of each (_messages.py)
    updates    kinds 0 to 2, and the items of each (_updates.py); of kind 0, about a member, the
               first ten; the eleventh is the capabilities (state/_members.py); every later kind
               begins [kind, origin, epoch, number]; its origin counts its numbers upwards, and a
               later one takes the place of all before it of that origin and kind
    entries    kinds 1, 3 and 4, and the items of each (_entries.py); 0 and 2 are not entries,
               3 and 4 are not updates, and a kind from 5 on may become either
    frames     kinds 0 to 13, and the items of each (_frames.py)
    records    see peers/registry/_records.py

New items follow the frozen items, or a new form has a new kind; a kind is at most 255.
A peer reads the items that it knows and ignores, or keeps and passes on, those behind them:

    bodies, messages, frames     further items are ignored, and so are whole messages and frames of
                                 a later kind; both are counted as `unknown`, which is not damage
    updates about a member       further items are kept as its tail, of at most 256 bytes, and
                                 copied into all that is made from the member
    updates of a later kind      are passed on once, byte by byte, and counted as `unknown`
    deltas, heads, entries       further items go as far as the bytes themselves are passed on;
                                 entries of a later kind are ignored and counted as `unknown`
    records                      further items are kept and passed on, and so are whole families

A tail changes only together with the epoch or the incarnation of its member, so that the root,
which is made of these alone, tells of it.
A peer that needs to know what another understands reads its capabilities (`Member.capabilities`).
A tail may hold numbers with fractions as well; what is relied on are arrays, texts, byte strings,
whole numbers, booleans and null.

Bytes that are not the strict CBOR of basis/_cbor.py are damage, and refuse the whole datagram or
frame: arrays nest at most five deep (what is deeper travels as a byte string of its own), and there
are no maps, tags or larger integers.  So do more than 8 messages or 128 updates in one datagram.
tests/support/recorded.json has bytes of each form as the first version wrote them.
"""

from ._entries import (
    Dropped as Dropped,
    Piece as Piece,
    decode_entry as decode_entry,
    encode_dropped as encode_dropped,
    encode_part as encode_part,
)
from ._frames import (
    FINGERPRINT_SIZE as FINGERPRINT_SIZE,
    LAST_KIND as LAST_KIND,
    Another as Another,
    Ask as Ask,
    Busy as Busy,
    Done as Done,
    EpochRefused as EpochRefused,
    Foreign as Foreign,
    Frame as Frame,
    Heads as Heads,
    Hello as Hello,
    Members as Members,
    Open as Open,
    Parts as Parts,
    Probe as Probe,
    Probed as Probed,
    Want as Want,
    parse_frame as parse_frame,
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
