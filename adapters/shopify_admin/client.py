"""Asking the GraphQL Admin API, within what it allows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Generic, TypeVar

from aiohttp import ClientError, ClientSession
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from adapters.counterparts.answers import OURS, Misconfigured, clean, retry_after
from adapters.shopify_admin.settings import ShopifySettings
from aftersales.commands import CommandRefused, NotNow

DOCUMENTS = Path(__file__).parent / "documents"
LONGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that are read."""
LONGEST_THROTTLE = timedelta(minutes=1)
"""A throttled command comes again after this at the latest."""


class Answer(BaseModel):
    """A part of Shopify's answer, its names as in the schema."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


T = TypeVar("T", bound=Answer)


@dataclass(frozen=True)
class Document(Generic[T]):
    """A query or mutation of `documents/`, and what its answer holds."""

    name: str
    answer: type[T]

    @property
    def text(self) -> str:
        """Its GraphQL."""
        return (DOCUMENTS / f"{self.name}.graphql").read_text(encoding="utf-8")


class UserError(Answer):
    """Why Shopify does not do it, in its words."""

    message: str
    code: str | None = None


class Done(Answer):
    """What every mutation tells."""

    user_errors: tuple[UserError, ...] = ()

    def check(self) -> None:
        """Raise `CommandRefused` in Shopify's words where it did not do it."""
        refuse(self.user_errors)


def refuse(errors: tuple[UserError, ...]) -> None:
    """Raise `CommandRefused` in Shopify's words where there are any.

    Raises:
        NotNow: the same mutation is under way already, by a try whose answer was lost; the next try finds its result.
    """
    if not errors:
        return
    words = clean("; ".join(error.message for error in errors))
    if "idempoten" in words.lower():
        raise NotNow(f"Shopify: {words}")
    raise CommandRefused(f"Shopify: {words}")


class _Throttle(Answer):
    currently_available: float = 0
    restore_rate: float = 50


class _Cost(Answer):
    requested_query_cost: float = 0
    throttle_status: _Throttle = _Throttle()

    @property
    def wait(self) -> timedelta:
        """Until there is enough for the same request again."""
        short = self.requested_query_cost - self.throttle_status.currently_available
        seconds = short / max(self.throttle_status.restore_rate, 1)
        return min(max(timedelta(seconds=seconds), timedelta(seconds=1)), LONGEST_THROTTLE)


class _Extensions(Answer):
    cost: _Cost = _Cost()


class _ErrorExtensions(Answer):
    code: str = ""


class _Error(Answer):
    message: str = ""
    extensions: _ErrorExtensions = _ErrorExtensions()


class _Said(Answer):
    data: dict[str, JsonValue] | None = None
    errors: tuple[_Error, ...] | str = ()
    extensions: _Extensions = _Extensions()


class Admin:
    """One shop's Admin API."""

    def __init__(self, settings: ShopifySettings, session: ClientSession) -> None:
        self._url = f"{settings.shop_url}/admin/api/{settings.api_version}/graphql.json"
        self._token, self._session = settings.access_token, session
        self._free_at = 0.0
        """By the monotonic clock, when Shopify has enough left for the next request."""

    async def ask(self, document: Document[T], **variables: JsonValue) -> T:
        """Send a document with its variables.

        Raises:
            NotNow: Shopify is away, throttles, or gave an answer that cannot be used. `Misconfigured` where the token,
                its rights or the version are wrong.
        """
        wait = self._free_at - time.monotonic()
        if wait > 0:
            raise NotNow("Shopify has had as many requests as it allows", timedelta(seconds=max(wait, 1)))
        status, headers, text = await self._post({"query": document.text, "variables": variables})
        if status in OURS or 300 <= status < 400:
            raise Misconfigured(f"Shopify answered {status}; check the shop's address, token and API version")
        if status != 200:
            raise NotNow(f"Shopify answered {status}", retry_after(headers))
        try:
            said = _Said.model_validate_json(text)
        except ValidationError:
            raise NotNow("Shopify's answer cannot be read") from None
        self._check(said)
        try:
            return document.answer.model_validate(said.data)
        except ValidationError as fault:
            where = ".".join(map(str, fault.errors()[0]["loc"]))
            raise NotNow(f"Shopify's answer to {document.name} cannot be used, at {where}") from None

    def _check(self, said: _Said) -> None:
        cost = said.extensions.cost
        errors = (_Error(message=said.errors),) if isinstance(said.errors, str) else said.errors
        if any(error.extensions.code == "THROTTLED" for error in errors):
            self._free_at = time.monotonic() + cost.wait.total_seconds()
            raise NotNow("Shopify has had as many requests as it allows", cost.wait)
        if not errors:
            return
        words = clean("; ".join(error.message for error in errors))
        if any(error.extensions.code in ("", "INTERNAL_SERVER_ERROR", "TIMEOUT") for error in errors):
            raise NotNow(f"Shopify failed: {words}")
        raise Misconfigured(f"Shopify does not understand or allow it: {words}; check the app's rights and API version")

    async def _post(self, body: Mapping[str, JsonValue]) -> tuple[int, Mapping[str, str], bytes]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": self._token.get_secret_value(),
        }
        try:
            async with self._session.post(
                self._url, data=json.dumps(body).encode(), headers=headers, allow_redirects=False
            ) as response:
                text = bytearray()
                async for chunk in response.content.iter_chunked(65536):
                    text += chunk
                    if len(text) > LONGEST_ANSWER:
                        raise NotNow("Shopify's answer is too long to be read")
                return response.status, response.headers, bytes(text)
        except (ClientError, OSError) as fault:
            raise NotNow(f"Shopify cannot be reached ({clean(str(fault)) or type(fault).__name__})") from fault
