"""Inbound datagrams: the listener opens and checks each, and hands its contents to the right parts.

The listener answers a peer that speaks under an epoch that is over, or to an earlier life of this
peer, and tells it so.
"""

from typing import assert_never

from ._rates import OPEN_LETTERS, STRAYS, Rates
from .basis import BoundedMap, Malformed
from .dissemination import Spread, UnknownUpdates
from .exchange import Contacts, Healing, Repair
from .kernel import Context, Outcome
from .membership import Membership, Prober, Relays, Source
from .messages import (
    Ack,
    Delta,
    Gone,
    Head,
    Held,
    Hold,
    LaterUpdate,
    Leave,
    Message,
    Nack,
    NotMe,
    Packet,
    Ping,
    PingReq,
    Relayed,
    decode_body,
    decode_update,
)
from .replication import Receipts, Replicas
from .sealing import Refused
from .state import Address, Member, MemberUpdate, Status

# Updates whose bytes were seen lately are not looked at again; each costs some 200 bytes.
# That many, and those of the generation before.
_SEEN_LIMIT = 2048
# Members that were lately told how they are held.
_TOLD_LIMIT = 1024
# A datagram that claims to be longer than any of ours is not worth a checksum.
_DATAGRAM_LIMIT = 1400
# A peer that was declared dead and speaks is told so at most this often.
_TELL_INTERVAL = 0.5


class Listener:
    """Takes in the datagrams of one peer."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        membership: Membership,
        prober: Prober,
        relays: Relays,
        contacts: Contacts,
        healing: Healing,
        repair: Repair,
        replicas: Replicas,
        receipts: Receipts,
    ) -> None:
        self._me = context.me
        self._table = context.table
        self._root = context.root
        self._questions = context.questions
        self._counters = context.counters
        self._refusals = context.refusals
        self._seal = context.seal
        self._spread = spread
        self._membership = membership
        self._prober = prober
        self._relays = relays
        self._contacts = contacts
        self._healing = healing
        self._repair = repair
        self._replicas = replicas
        self._receipts = receipts
        self._unknown = UnknownUpdates(context, spread)
        self._rates = Rates(context.config)
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()
        self._told_at = BoundedMap[str, float](_TOLD_LIMIT)

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Take in one datagram; whatever it holds, nothing raises."""
        counters = self._counters
        counters["datagrams_received"] += 1
        counters["bytes_received"] += len(datagram)
        try:
            if len(datagram) > _DATAGRAM_LIMIT:
                raise Refused("oversize")
            to_epoch, body = self._seal.open(datagram)
            meant = to_epoch == self._me.epoch
            if meant:
                self._seal.once(datagram)
            # What is not meant for this life may be recorded elsewhere and sent in another's name:
            # it does not use up what that one may send.
            account = sender if meant else STRAYS if to_epoch else OPEN_LETTERS
            if not self._rates.admits(account, now):
                raise Refused("rate")
            packet = decode_body(body)
        except Refused as refused:
            self._refusals.note(refused, sender, now)
            return
        if packet.unknown or packet.malformed:
            self._counters.add("unknown", packet.unknown)
            self._counters.add("refused_message", packet.malformed)
        if packet.source == self._me.name:
            self._hear_own_name(packet, now)
        elif meant:
            self._take(packet, sender, now)
        elif to_epoch:
            self._misdirected(packet, sender)
        else:
            self._answer_anybody(packet, sender, now)

    def _take(self, packet: Packet, sender: Address, now: float) -> None:
        row = self._table.get(packet.source)
        if row is not None and packet.epoch < row.epoch:
            self._answer_former_life(packet, row, sender, now)
            return
        fresh = [
            payload
            for payload in packet.updates
            if payload not in self._seen and payload not in self._seen_before
        ]
        if fresh:
            self._take_updates(fresh, packet.source, sender, now)
        row = self._table.get(packet.source)
        if row is None:
            self._answer_forgotten(packet, sender, now)
        if row is not None and row.status is Status.DEAD and row.epoch == packet.epoch:
            self._hear_the_dead(row, packet, sender, now)
        for message in packet.messages:
            self._take_message(message, packet, row, sender, now)

    def _take_updates(
        self, payloads: list[bytes], source: str, sender: Address, now: float
    ) -> None:
        allowed = self._rates.allowance(sender, len(payloads))
        if allowed < len(payloads):
            self._counters.add("refused_rate", len(payloads) - allowed)
            del payloads[allowed:]
        for payload in payloads:
            self._take_update(payload, source, now)

    def _take_update(self, payload: bytes, source: str, now: float) -> None:
        try:
            update = decode_update(payload)
        except Malformed:
            self._counters.add("refused_update")
            return
        match update:
            case MemberUpdate():
                how: Source = "direct" if update.name == source else "rumor"
                outcome = self._membership.hear(update, payload, source, how, now)
                if update.name == self._me.name:
                    return  # to be answered each time that somebody says so
            case Delta():
                outcome = self._replicas.on_delta(update, payload, source, now)
            case Head():
                outcome = self._replicas.on_head(update, payload, source, now)
            case LaterUpdate():
                outcome = self._unknown.hear(update, payload, source, now)
            case _:
                assert_never(update)
        if outcome is Outcome.DECLINED:
            return
        self._seen.add(payload)
        if len(self._seen) >= _SEEN_LIMIT:
            self._seen_before, self._seen = self._seen, set()

    def _take_message(
        self, message: Message, packet: Packet, row: Member | None, sender: Address, now: float
    ) -> None:
        source, epoch = packet.source, packet.epoch
        match message:
            case Ping():
                if message.target not in ("", self._me.name):
                    self._answer_not_me(message, packet, sender)
                else:
                    self._prober.on_ping(message, sender, epoch, row)
            case Ack(sequence, root):
                asker = self._questions.asker(sequence)
                if asker is not None:
                    asker.on_ack(sequence, source, epoch, now)
                self._compare(root, row, now)
            case PingReq():
                self._relays.on_ping_req(message, sender, epoch, now)
            case Nack(sequence, root):
                self._prober.on_nack(sequence, source)
                self._compare(root, row, now)
            case Relayed(sequence, root):
                self._prober.on_relayed(sequence, source, now)
                self._compare(root, row, now)
            case Leave(sequence):
                self._spread.send(sender, epoch, [Ack(sequence, self._root.digest)])
            case Hold():
                answer = self._receipts.on_hold(message, source, epoch)
                if answer is not None:
                    self._spread.send(sender, epoch, [answer])
            case Held(sequence):
                self._receipts.on_held(sequence, source)
            case Gone(sequence):
                self._prober.on_gone(sequence, source, now)
            case NotMe(sequence):
                self._take_not_me(sequence, packet, row, sender, now)
            case _:
                assert_never(message)

    def _take_not_me(
        self, sequence: int, packet: Packet, row: Member | None, sender: Address, now: float
    ) -> None:
        source = packet.source
        asker = self._questions.asker(sequence)
        # Anybody can have a peer say this, with a ping that was recorded elsewhere.
        asked = asker is not None and asker.on_not_me(sequence, source, sender, packet.epoch, now)
        if asked and row is not None and row.status.living and self._may_tell(source, now):
            self._healing.reborn(row, now)

    def _compare(self, root: bytes, row: Member | None, now: float) -> None:
        """Compare the root that a living member told with its answer."""
        if row is not None and row.status.living:
            self._repair.on_root(row, root, now)

    def _answer_anybody(self, packet: Packet, sender: Address, now: float) -> None:
        """Answer what is addressed to no life, and believe nothing of it.

        It could have been recorded years ago: a seal does not tell, as an epoch does.
        """
        row = self._table.get(packet.source)
        for message in packet.messages:
            if isinstance(message, Ping):
                self._take_message(message, packet, row, sender, now)
            else:
                self._counters.add("refused_epoch")
        self._counters.add("refused_update", len(packet.updates))

    def _hear_own_name(self, packet: Packet, now: float) -> None:
        """A datagram in our own name: a seed that is ourselves, or another process."""
        for message in packet.messages:
            if isinstance(message, Ping) and packet.epoch == self._me.epoch:
                self._contacts.on_own_ping(message.sequence, now)
        self._counters.add("refused_own_name")

    def _misdirected(self, packet: Packet, sender: Address) -> None:
        """A datagram for an earlier life of ours, or for another peer at this address."""
        self._counters.add("refused_epoch")
        for message in packet.messages:
            if isinstance(message, Ping):
                self._answer_not_me(message, packet, sender)

    def _answer_not_me(self, ping: Ping, packet: Packet, sender: Address) -> None:
        if not self._me.left:
            me = self._me.update().encode()
            self._spread.send(sender, packet.epoch, [NotMe(ping.sequence)], [me])

    def _answer_former_life(self, packet: Packet, row: Member, sender: Address, now: float) -> None:
        """The speaker's life is over as far as we know: tell it of the later one."""
        self._counters.add("refused_former_life")
        if self._may_tell(row.name, now):
            payload = self._membership.describe(row)
            self._spread.send(sender, packet.epoch, [], [payload])

    def _answer_forgotten(self, packet: Packet, sender: Address, now: float) -> None:
        """The speaker's life is over for us and forgotten: tell it, so that it begins a new one."""
        alive = MemberUpdate(packet.source, packet.epoch, 0, Status.ALIVE, sender, "", 0)
        obituary = self._membership.obituary(alive)
        if obituary is not None and self._may_tell(packet.source, now):
            self._spread.send(sender, packet.epoch, [], [obituary])

    def _hear_the_dead(self, row: Member, packet: Packet, sender: Address, now: float) -> None:
        """Tell a member that it was declared dead, and exchange state with it."""
        if not self._may_tell(row.name, now):
            return
        if not any(isinstance(message, Ping) for message in packet.messages):
            payload = self._membership.describe(row)
            self._spread.send(sender, packet.epoch, [], [payload])
        self._healing.returned(row.name, row.address, now)

    def _may_tell(self, name: str, now: float) -> bool:
        if now - self._told_at.get(name, float("-inf")) < _TELL_INTERVAL:
            return False
        self._told_at.keep(name, now)
        return True
