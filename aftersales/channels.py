"""Channels: what the platform on which an order was placed asks of letters, and what of it a letter breaks.

The rules are data, in the section `channels` of a policy. What a template says in itself is known before any letter
goes out (`written_faults`, for the check of templates); the rest shows in the letter as it would go out (`faults`,
`foreign`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import StringConstraints

from aftersales.lanes import Section
from aftersales.model import Model, Name, Time
from aftersales.phrase_book import CASELESS
from aftersales.units import Window, format_duration
from aftersales.yamlfile import load_yaml

Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*][a-z0-9.*-]*$")]
"""A host in lower case; `*` is any text: `*.ebay.com`."""


class ChannelRules(Section):
    """What one channel asks of letters."""

    outside_links: Literal["allowed", "https", "forbidden"] = "allowed"
    """Links to other hosts than those of `link_hosts`: all of them, those with https, or none (rules in every case
    `§12`)."""
    link_hosts: tuple[Host, ...] = ()
    """Hosts to which a letter may always link (rules in every case `§12`)."""
    contact_details: bool = True
    """Whether a letter may hold e-mail addresses and phone numbers (rules in every case `§12`)."""
    buyers_language: bool = False
    """Whether a letter must be in the buyer's language, not in one of the fallback (rules in every case `§2`)."""
    languages: tuple[str, ...] = ()
    """Languages in which the channel's buyers are written to: letters must be there in each (rules in every case
    `§2`)."""
    days_after_order: Window | None = None
    """How long after delivery the shop may write of its own accord; an answer is always possible."""


class Channels(Section):
    """What channels ask of letters (rules in every case `§2`, `§12`)."""

    channel_rules: Mapping[Name, ChannelRules] = {}
    """What each channel asks; `default` is for those without an own entry (rules in every case `§2`, `§12`)."""
    held_window: Window = timedelta(hours=12)
    """Time of an operator to decide about a letter that its channel forbids; then it is left out (`§5`)."""

    def terms(self, channel: str, *, delivered_at: datetime | None, answers: bool) -> Terms | None:
        """What a letter about an order of this channel must keep to; None where nothing is asked.

        `answers` says that the customer wrote before: then no date ends the time to write.
        """
        rules = self.channel_rules.get(channel) or self.channel_rules.get("default")
        if rules is None:
            return None
        limit = rules.days_after_order
        until = delivered_at + limit if limit is not None and delivered_at and not answers else None
        return Terms(channel=channel, rules=rules, until=until)


class Terms(Model):
    """What one letter must keep to. `until` is the last moment at which it may go out."""

    channel: str
    rules: ChannelRules
    until: Time | None = None


def faults(text: str, at: datetime, terms: Terms) -> list[str]:
    """Why a letter may not go out on its channel at this moment, in words for an operator; empty where it may."""
    rules = terms.rules
    found = [*written_faults(text, terms.channel, rules), *review_requests(text)]
    if terms.until and at > terms.until and rules.days_after_order is not None:
        limit = format_duration(rules.days_after_order)
        found.append(f"on {terms.channel} the shop writes of its own accord until {limit} after delivery")
    return found


def foreign(language: str, buyer: str, terms: Terms) -> list[str]:
    """The same for the language of a letter (a tag, as is the buyer's)."""
    if terms.rules.buyers_language and _base(language) != _base(buyer):
        return [f"it is in {language}, and {terms.channel} asks for the buyer's language, {buyer}"]
    return []


def written_faults(text: str, channel: str, rules: ChannelRules) -> Iterator[str]:
    """Links and contact details in a text that the channel forbids."""
    for address in _ADDRESS.findall(text):
        host = (urlsplit(address if "//" in address else f"//{address}").hostname or "").lower()
        secure = rules.outside_links == "https" and address.lower().startswith("https://")
        if rules.outside_links != "allowed" and not secure and not _fits(host, rules.link_hosts):
            which = "only links with https" if rules.outside_links == "https" else "no links to other sites"
            yield f"it links to {host}, and {channel} allows {which}"
    if not rules.contact_details:
        rest = " ".join(_ADDRESS.sub(" ", text).split())
        if mail := _MAIL.search(rest):
            yield f"it holds the e-mail address {mail.group()}, and {channel} allows none"
        if phone := _PHONE.search(rest):
            yield f"it holds the phone number {phone[1] or phone[2]}, and {channel} allows none"


def review_requests(text: str) -> Iterator[str]:
    """Words that ask for a review, or for another one: no letter does (rule 12)."""
    if asking := _asking().search(" ".join(text.casefold().split())):
        yield f"it asks for a review (“{asking.group()}”), which no letter does"


_ADDRESS = re.compile(r"https?://[^\s<>\"'，。）]+|\bwww\.[^\s<>\"'，。）]+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>:：(（]+@[\w-]+(?:\.[\w-]+)+")
# Order, tracking and RMA numbers are digits too: a phone number has a plus, or a word before it that says so.
_PHONE = re.compile(
    r"((?<![\w+])\+\d[\d ()./-]{6,18}\d)"
    r"|(?i:\b(?:tel|phone|call|mobile|whatsapp|telefon|tél|téléphone|teléfono|móvil)\b|电话|手机|微信|電話|携帯)"
    r"(?i:[\s:：.]|(?:us|number|no|nr|at|on|unter|au|al)\b|号|码){0,8}(\+?\d[\d ()./-]{5,18}\d)"
)


def _fits(host: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in patterns)


def _base(tag: str) -> str:
    return re.split("[-_]", tag.strip().lower())[0]


@cache
def _asking() -> re.Pattern[str]:
    phrases = load_yaml(Path(__file__).with_name("review_requests.yaml")).data
    every = sorted((phrase.casefold() for some in phrases.values() for phrase in some), key=len, reverse=True)
    return re.compile(
        "|".join(re.escape(phrase) if CASELESS.search(phrase) else rf"\b{re.escape(phrase)}\b" for phrase in every)
    )
