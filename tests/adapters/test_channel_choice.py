"""Which channel a letter takes: real mail server, real bridge, real folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.channel_settings import ChannelsOut, ShopChannels
from adapters.channels import open_channels
from adapters.outbox import written
from aftersales.ports import Channel
from aftersales.sending import NotSent, PerhapsSent, Undeliverable
from tests.bridge_service import SECRET, Service
from tests.letters_out import Tries, letter
from tests.mail_server import DROP, MailServer

NOBODY = "550 5.1.1 no such user"


def both(server: MailServer, url: str, *chain: str, **changes: Any) -> ShopChannels:
    """A shop with a mail server and a bridge."""
    known = {"chain": chain, "smtp": server.settings(), "bridge": {"url": url, "secret": SECRET}}
    return ShopChannels.model_validate({**known, **changes})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service().running() as started:
        yield started


async def deliver(channel: Channel, **changes: Any) -> str:
    return await channel.deliver(*letter(**changes))


async def test_without_settings_letters_lie_in_the_outbox(tmp_path: Path) -> None:
    async with open_channels(ChannelsOut(), tmp_path) as channel:
        where = await deliver(channel)
    assert (tmp_path / where).is_file()


async def test_each_shop_has_its_own(tmp_path: Path, service: Service) -> None:
    async with MailServer().running() as server:
        shops = {"mail": both(server, service.url, "smtp"), "platform": both(server, service.url, "bridge")}
        async with open_channels(ChannelsOut(shops=shops), tmp_path) as channel:
            assert await deliver(channel, shop="mail") == "smtp 2.0.0 queued as Q1"
            assert await deliver(channel, shop="platform") == "bridge M-77"
            assert (await deliver(channel, shop="other")).endswith(".eml")


async def test_a_customer_of_a_platform_is_written_to_by_its_bridge_alone(tmp_path: Path, service: Service) -> None:
    async with MailServer().running() as server:
        shop = both(
            server,
            service.url,
            "smtp",
            "outbox",
            bridged_addresses=["@Marketplace.example.com"],
            bridged_channels=["amazon"],
        )
        async with open_channels(ChannelsOut(default=shop), tmp_path) as channel:
            assert await deliver(channel, email="x7@marketplace.EXAMPLE.com") == "bridge M-77"
            assert await deliver(channel, order_channel="amazon") == "bridge M-77"
            assert await deliver(channel, order_channel="webshop") == "smtp 2.0.0 queued as Q1"
            service.status, service.body = 422, "the buyer wants no messages"
            with pytest.raises(Undeliverable, match=r"said: 422 the buyer wants no messages$"):
                await deliver(channel, order_channel="amazon")
    assert len(server.taken) == 1


async def test_what_a_mail_server_took_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    async with MailServer().running() as server:
        shop = ShopChannels(chain=("smtp",), smtp=server.settings())
        async with open_channels(ChannelsOut(default=shop), tmp_path) as channel:
            await deliver(channel)
        copy = written(tmp_path, "A-1001", "k-1")
        assert copy
        assert copy.read_bytes().strip() == server.content(0).strip()
        assert written(tmp_path, "A-1001", "k-2") is None


async def test_a_copy_that_cannot_be_kept_does_not_hold_a_letter_up(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with MailServer().running() as server:
        shop = ShopChannels(chain=("smtp",), smtp=server.settings())
        async with open_channels(ChannelsOut(default=shop), tmp_path / "file") as channel:
            assert await deliver(channel) == "smtp 2.0.0 queued as Q1"


async def test_what_one_refuses_the_next_is_given(tmp_path: Path, service: Service) -> None:
    service.status, service.body = 404, "no such order"
    async with MailServer().running() as server:
        shop = both(server, service.url, "bridge", "smtp")
        async with open_channels(ChannelsOut(default=shop), tmp_path) as channel:
            assert await deliver(channel) == "smtp 2.0.0 queued as Q1"
            server.rcpt = NOBODY
            with pytest.raises(Undeliverable, match=f"no such order; .*{NOBODY}"):
                await deliver(channel, key="k-2")
    shop = shop.model_copy(update={"chain": ("bridge", "outbox")})
    async with open_channels(ChannelsOut(default=shop), tmp_path) as channel:
        assert (await deliver(channel)).endswith(".eml")


@pytest.mark.parametrize(("data", "becomes"), [(DROP, PerhapsSent), ("451 later", NotSent)])
async def test_what_may_be_out_or_comes_later_is_not_given_to_the_next(
    tmp_path: Path,
    service: Service,
    data: str,
    becomes: type[Exception],
) -> None:
    tries = Tries()
    async with MailServer(data=data).running() as server:
        shop = both(server, service.url, "smtp", "bridge", "outbox")
        async with open_channels(ChannelsOut(default=shop), tmp_path) as channel:
            with pytest.raises(becomes):
                await deliver(channel, tries=tries)
    assert (service.given, list(tmp_path.iterdir()), tries.count) == ([], [], 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chain": []}, "at least 1 item"),
        ({"chain": ["smtp"], "smtp": None}, "smtp is to be used and has no settings"),
        ({"chain": ["outbox"], "bridge": None, "bridged_channels": ["amazon"]}, "bridge is to be used"),
        ({"chain": ["outbox", "outbox"]}, "each channel may stand once"),
        ({"bridged_addresses": ["marketplace.example.com"]}, "is no end of an e-mail address"),
        ({"bridge": {"url": "http://x.example/", "secret": SECRET, "timeout": 8}}, "come to 10 s; 9 s is the most"),
        ({"chain": ["pigeon"]}, "bridge"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        both(MailServer(port=25), "http://x.example/", "bridge", "smtp", **changes)
