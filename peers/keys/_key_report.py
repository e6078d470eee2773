"""Reports on keys, as JSON and in sentences. They never contain a key."""

from collections.abc import Mapping, Sequence

from gossamer.gossip import PLAIN, KeyRing, Member

from ._key_records import KeyRecord

Known = Sequence[tuple[str, KeyRecord | None]]
"""The other members, and the key record of each."""

# A sentence names at most so many members.
_NAMED_AT_ONCE = 8


def summarize(ring: KeyRing) -> dict[str, object]:
    """Return which keys a peer accepts, and which key it uses."""
    return {"use": _shown(ring.use), "accepts": [_shown(each) for each in ring.accepted]}


def report(
    ring: KeyRing, file: str | None, known: Known, members: Mapping[str, Member]
) -> dict[str, object]:
    """Return which keys this peer accepts, and which members accept and use each of them."""
    keys = []
    for key_id, fingerprint in ring.accepted.items():
        lacking = [n for n, s in known if s is None or not s.accepts_key((key_id, fingerprint))]
        using = [n for n, s in known if s is not None and s.use == key_id]
        keys.append(
            {
                "id": _shown(key_id),
                "fingerprint": fingerprint.hex() or None,
                "in_use": key_id == ring.use,
                "used_by": using,
                "lacking": lacking,
            }
        )
    return {
        "file": file,
        "use": _shown(ring.use),
        "plain": ring.plain,
        "keys": keys,
        "members": [
            {
                "name": name,
                "status": members[name].status.label,
                "accepts": None if said is None else [_shown(each) for each in said.accepts],
                "use": None if said is None else _shown(said.use),
            }
            for name, said in known
        ],
    }


def name_some(of: Known, members: Mapping[str, Member]) -> str:
    """Return the names of some of these members.

    A remark follows a name if the member is not alive, or has no key record.
    """
    named = [_describe(members[name], said) for name, said in of[:_NAMED_AT_ONCE]]
    if len(of) > _NAMED_AT_ONCE:
        named.append(f"{len(of) - _NAMED_AT_ONCE} more")
    return ", ".join(named)


def _describe(member: Member, said: KeyRecord | None) -> str:
    status = member.status.label
    remarks = [status] if status != "alive" else []
    if said is None:
        remarks.append("has not said which keys it has")
    return f"{member.name} ({', '.join(remarks)})" if remarks else member.name


def _shown(key_id: int) -> int | str:
    """Return a key's id as JSON shows it."""
    return "plain" if key_id == PLAIN else key_id
