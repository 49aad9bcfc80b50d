"""Shopify's Admin API on this machine: each request is validated and carried out against Shopify's own schema."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, execute, parse, validate

from adapters.shopify_admin.settings import ShopifySettings
from tests.adapters.shopify_admin.shop import Shop

TOKEN = "shpat_for_tests"


class FakeShopify:
    """Answers as Shopify does, and can throttle, fail, hang, or lose an answer after the deed."""

    def __init__(self, schema: GraphQLSchema, version: str) -> None:
        self.schema, self.version, self.shop = schema, version, Shop()
        self.settings: ShopifySettings
        """How it is reached."""
        self.asked: list[str] = []
        """The names of the operations, as they came."""
        self.invalid: list[str] = []
        """What Shopify would not have understood."""
        self.lose: set[str] = set()
        """Operations whose next answer never arrives."""
        self.throttle: list[dict[str, float]] = []
        """For each of the next requests: what is left, and how much comes back in a second."""
        self.says: list[web.Response] = []
        """Answers of the next requests, whatever they ask."""
        self.hangs = False

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_post(f"/admin/api/{self.version}/graphql.json", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-Shopify-Access-Token") != TOKEN:
            return web.json_response({"errors": "[API] Invalid API key or access token"}, status=401)
        if self.hangs:
            await asyncio.sleep(5)
        if self.says:
            return self.says.pop(0)
        if self.throttle:
            return web.json_response(_throttled(**self.throttle.pop(0)))
        asked = await request.json()
        document = parse(asked["query"])
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name
        name = operation.name.value
        self.asked.append(name)
        faults = validate(self.schema, document)
        if faults:
            self.invalid += [f"{name}: {fault.message}" for fault in faults]
            said: dict[str, Any] = {"errors": [{"message": one.message, "extensions": {"code": "x"}} for one in faults]}
            return web.json_response(said)
        done = execute(self.schema, document, root_value=self.shop.root(), variable_values=asked["variables"])
        assert isinstance(done, ExecutionResult)
        # A variable that does not fit its type comes to light here.
        self.invalid += [f"{name}: {fault.message}" for fault in done.errors or ()]
        if name in self.lose:
            self.lose.discard(name)
            assert request.transport
            request.transport.abort()
        return web.json_response(done.formatted)


def _throttled(left: float, rate: float, cost: float) -> dict[str, Any]:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": left, "restoreRate": rate}
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}},
    }
