"""What cannot be right in settings although each of them can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from adapters.settings import Settings, settings_file
from adapters.shops import ShopSettings
from aftersales.faults import nearest
from cli.settings_table import rows

Level = Literal["problem", "warning", "hint"]
"""A problem keeps things from working as they are set; a warning is very likely a mistake; a hint may be meant."""
_OURS = frozenset({"AFTERSALES_SETTINGS", "AFTERSALES_PYTHON"})


class Doubt(NamedTuple):
    """Something that is not as it should be: which setting, what, and what to do."""

    level: Level
    where: str
    what: str
    remedy: str


def doubts(settings: Settings) -> list[Doubt]:
    """All of them, in the order of the settings."""
    return [
        *_strangers(),
        *_door(settings),
        *_letters(settings),
        *_addresses(settings),
        *(doubt for name, shop in settings.shops.items() for doubt in _shop(f"shops.{name}", shop)),
        *_mail(settings),
    ]


def _strangers() -> Iterator[Doubt]:
    """Variables that nothing reads. In the file an unknown name is an error; here it may be of another program."""
    known = {row.variable for row in rows()} - {row.variable for row in rows() if "<" in row.variable}
    tables = {f"{row.variable.partition('__')[0]}__" for row in rows() if "__" in row.variable}
    whole = {table.removesuffix("__") for table in tables}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith("AFTERSALES_") and not (
            upper in known | whole | _OURS or any(upper.startswith(table) for table in tables)
        ):
            yield Doubt("warning", name, "is no setting, and nothing reads it", nearest(upper, known))


def _door(settings: Settings) -> Iterator[Doubt]:
    keys = settings.keys()
    if not _is_here(settings.http.host) and not (keys.own or any(_speaks(shop) for shop in settings.shops.values())):
        yield Doubt(
            "warning",
            "http.host",
            f"{settings.http.host} is open to other machines, and nobody there has a secret to send with",
            f"give each sender its own, shops.<name>.keys; until then only {settings.data / 'secret'} counts",
        )


def _speaks(shop: ShopSettings) -> bool:
    keys = shop.keys
    return bool(keys.events or keys.mail or keys.mail_tokens or keys.platforms)


def _letters(settings: Settings) -> Iterator[Doubt]:
    chains = [settings.letters, *(shop.letters for shop in settings.shops.values() if shop.letters)]
    if any("smtp" in one.chain for one in chains) and settings.mail_domain.endswith(".invalid"):
        yield Doubt(
            "warning",
            "mail_domain",
            f"letters go out by SMTP with Message-IDs of {settings.mail_domain}, which spam filters mark",
            "set it to the domain that letters come from",
        )


def _addresses(settings: Settings) -> Iterator[Doubt]:
    """What customers' data is sent to in clear."""
    for where, url in _urls(settings):
        parts = urlsplit(url)
        if parts.scheme == "http" and not _is_here(parts.hostname or ""):
            yield Doubt("warning", where, f"{url} is another machine and has no TLS", "write https://")


def _urls(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "classifier_url", settings.classifier_url
    places: list[tuple[str, Settings | ShopSettings]] = [("", settings)]
    places += [(f"shops.{name}.", shop) for name, shop in settings.shops.items()]
    for before, place in places:
        if place.letters and place.letters.bridge:
            yield f"{before}letters.bridge.url", place.letters.bridge.url
        if place.commands:
            for name, counterpart in place.commands.counterparts.items():
                yield f"{before}commands.counterparts.{name}.url", counterpart.url
            if place.commands.shopify:
                yield f"{before}commands.shopify.shop_url", place.commands.shopify.shop_url


def _shop(where: str, shop: ShopSettings) -> Iterator[Doubt]:
    if shop.policy and not shop.policy.is_file():
        yield Doubt("problem", f"{where}.policy", f"there is no file {shop.policy}", "correct the path, or take it out")
    if shop.templates and not shop.templates.is_dir():
        remedy = "correct the path, or take it out"
        yield Doubt("problem", f"{where}.templates", f"there is no folder {shop.templates}", remedy)
    sells = [name for name in ("shopify", "woocommerce") if name in shop.keys.platforms]
    missing = [name for name in ("market", "currency") if not getattr(shop.storefront, name)]
    if sells and missing:
        yield Doubt(
            "warning",
            f"{where}.storefront",
            f"orders of {sells[0]} that name no {' or no '.join(missing)} are refused",
            f"set {' and '.join(missing)}",
        )


def _mail(settings: Settings) -> Iterator[Doubt]:
    taking = [name for name, shop in settings.shops.items() if shop.keys.mail or shop.keys.mail_tokens]
    if taking and not settings.mail.attachments.public_url:
        yield Doubt(
            "hint",
            "mail.attachments.public_url",
            f"mail of {', '.join(taking)} comes in, and photos in it are not kept",
            "set the address under which this door is reached, such as https://aftersales.example.com",
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def as_line(doubt: Doubt) -> str:
    """A doubt for people, with the file where its setting would stand."""
    file = _file()
    at = "" if doubt.where.startswith("AFTERSALES_") or not file else f"{file}: "
    level = "" if doubt.level == "problem" else f"{doubt.level}: "
    return f"{at}{doubt.where}: {level}{doubt.what}; {doubt.remedy}"


def as_json(doubt: Doubt) -> Mapping[str, object]:
    """A doubt as `./dev check --json` prints it."""
    return {"path": str(_file() or ""), "line": 0, **doubt._asdict()}


def _file() -> Path | None:
    """The settings file, where there is one."""
    file = settings_file()
    return file if file and file.is_file() else None
