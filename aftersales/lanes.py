"""The windows of parcels in tracking, and how a lane (carrier, origin, destination) changes them (`§4`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import ConfigDict, StringConstraints, ValidationError, ValidationInfo, field_validator

from aftersales.model import Model
from aftersales.order import Address, Parcel
from aftersales.units import Share, Window, format_duration

_NAME = r"[^:>?\[\]]+"
LaneName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}:{_NAME}>{_NAME}$")]
"""`carrier:origin>destination`, where `*` stands for any text, in small or capital letters alike."""

_NOT_BEFORE = {"pickup_letter_after": "pickup_window"}
_AFTER = {"lost_after": "stuck_after", "claim_until": "claim_lead"}
_CLAIM = frozenset({"trace_window", "claim_from", "claim_lead", "claim_until", "claim_answer_window", "appeal_window"})
"""Windows that are the carrier's terms and not the customer's clock."""


class Section(Model):
    """A part of the policy. A key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ParcelWindows(Section):
    """The windows of tracking on one lane. Silence counts from the last scan."""

    pickup_window: Window
    """How long after hand-over the first scan may take (`§4`)."""
    pickup_letter_after: Window
    """When the customer is told that the first scan is missing, counted from hand-over (`§4`)."""
    stuck_after: Window
    """Silence after which a parcel is stuck and the carrier is asked (`§4`)."""
    lost_after: Window
    """Silence after which a parcel is treated as lost and the customer chooses (`§4`)."""
    delivery_window: Window
    """How long a parcel may be out for delivery without a signature (`§4`)."""
    collection_window: Window
    """How long a parcel may wait where the customer collects it; then it is stuck (`§4`)."""
    choice_window: Window
    """How long the customer has to choose between a new parcel and the money (`§4`)."""
    proof_window: Window
    """How long the carrier has to bring proof that a parcel said to be missing was delivered (`§4`)."""
    dispute_window: Window
    """How long after delivery the customer is heard who says that nothing came; then the case closes (`§4`)."""
    carrier_answer_window: Window
    """How long the carrier has to answer an inquiry (`§4`)."""
    reappear_window: Window
    """How long a parcel declared lost is still watched (`§4`)."""
    trace_window: Window = timedelta(days=7)
    """How long a carrier searches for a silent parcel before the loss is claimed (`§5`)."""
    claim_from: Window = timedelta(hours=24)
    """How long after hand-over the carrier takes no claim yet, but for damage (`§5`)."""
    claim_lead: Window = timedelta(days=3)
    """How long before the carrier's last date a claim is filed, whatever is still awaited (`§5`)."""
    claim_until: Window = timedelta(days=30)
    """How long after hand-over the carrier takes a claim; then it has expired (`§5`)."""
    claim_answer_window: Window = timedelta(days=30)
    """Time of the carrier to decide about a claim; then it is reminded and has as long again (`§5`)."""
    appeal_window: Window = timedelta(days=14)
    """How long after the carrier's decision an appeal is possible (`§5`)."""

    @field_validator(*_NOT_BEFORE, *_AFTER)
    @classmethod
    def _in_order(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        name = info.field_name or ""
        earlier = _AFTER.get(name) or _NOT_BEFORE[name]
        sooner = info.data.get(earlier)
        if sooner is not None and (value < sooner or (value == sooner and name in _AFTER)):
            order = "must be longer than" if name in _AFTER else "must not be shorter than"
            raise ValueError(f"{format_duration(value)} {order} {earlier}, {format_duration(sooner)}")
        return value


class LaneWindows(Section):
    """What differs on a lane; see `ParcelWindows`."""

    pickup_window: Window | None = None
    pickup_letter_after: Window | None = None
    stuck_after: Window | None = None
    lost_after: Window | None = None
    delivery_window: Window | None = None
    collection_window: Window | None = None
    choice_window: Window | None = None
    proof_window: Window | None = None
    dispute_window: Window | None = None
    carrier_answer_window: Window | None = None
    reappear_window: Window | None = None
    trace_window: Window | None = None
    claim_from: Window | None = None
    claim_lead: Window | None = None
    claim_until: Window | None = None
    claim_answer_window: Window | None = None
    appeal_window: Window | None = None


class Parcels(ParcelWindows):
    """Parcels on their way to the customer (`§4`)."""

    found_discount: Share
    """Off the price, for keeping a lost parcel that turned up after the remedy (`§4`)."""
    lanes: Mapping[LaneName, LaneWindows]
    """Other windows by `carrier:origin>destination`; `*` is any, the most exact lane counts (`§4`). For a claim it is
    the most exact one that names the window (`§5`)."""

    @field_validator("lanes")
    @classmethod
    def _possible(cls, lanes: Mapping[str, LaneWindows], info: ValidationInfo) -> Mapping[str, LaneWindows]:
        windows = {name: info.data[name] for name in ParcelWindows.model_fields if name in info.data}
        if len(windows) < len(ParcelWindows.model_fields):
            return lanes
        for name, lane in lanes.items():
            try:
                ParcelWindows.model_validate(windows | lane.model_dump(exclude_none=True))
            except ValidationError as error:
                first = error.errors()[0]
                raise ValueError(f"{name}: {first['loc'][0]}: {first['ctx']['error']}") from None
        return lanes

    def for_lane(self, carrier: str, origin: str, destination: str) -> ParcelWindows:
        """The windows of a lane: the common ones, changed by the most exact lane that fits.

        More exact parts win, then an exact carrier, origin, destination; nothing is known of an empty text,
        which only `*` fits. The windows of a claim are the carrier's terms wherever its parcels go: each is taken from
        the most exact lane that names it, and a lane of nothing else leaves the other windows alone.
        """
        lane = (carrier.lower(), origin.lower(), destination.lower())
        fitting = [name for name in self.lanes if _fits(_parts(name), lane)]
        fitting.sort(key=lambda name: (_exactness(_parts(name)), name))
        said = [self.lanes[name].model_dump(exclude_none=True) for name in fitting]
        windows = {name: getattr(self, name) for name in ParcelWindows.model_fields}
        for own in said:
            windows |= {name: window for name, window in own.items() if name in _CLAIM}
        tracked = [own for own in said if not own or own.keys() - _CLAIM]
        if tracked:
            windows |= {name: window for name, window in tracked[-1].items() if name not in _CLAIM}
        return ParcelWindows.model_construct(**windows)

    def for_parcel(self, parcel: Parcel, ship_to: Address) -> ParcelWindows:
        """The windows of a parcel's lane; what its event left out is read from its lane's name and its address."""
        return self.for_lane(*way_of(parcel, ship_to))


def way_of(parcel: Parcel, ship_to: Address) -> tuple[str, str, str]:
    """Carrier, origin and destination of a parcel to this address."""
    named = _parts(parcel.lane) if re.fullmatch(rf"{_NAME}:{_NAME}>{_NAME}", parcel.lane) else ("", "", "")
    return parcel.carrier, parcel.origin or named[1], parcel.destination or named[2] or ship_to.country


def _parts(lane: str) -> tuple[str, str, str]:
    carrier, _, way = lane.lower().partition(":")
    origin, _, destination = way.partition(">")
    return carrier.strip(), origin.strip(), destination.strip()


def _fits(patterns: tuple[str, ...], lane: tuple[str, ...]) -> bool:
    return all(fnmatchcase(part, pattern) for part, pattern in zip(lane, patterns, strict=True))


def _exactness(patterns: tuple[str, ...]) -> tuple[int, ...]:
    """To sort by: the number of exact parts, then for each 2 when exact, 1 with some `*`, 0 for `*`."""
    ranks = [2 if "*" not in pattern else int(pattern != "*") for pattern in patterns]
    return (ranks.count(2), *ranks)
