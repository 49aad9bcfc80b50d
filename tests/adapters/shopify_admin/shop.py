"""A small shop as Shopify keeps it: the state behind the fake, with a resolver for each query and mutation we use."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from graphql import GraphQLResolveInfo
from graphql.execution.values import get_directive_values

Node = dict[str, Any]
Info = GraphQLResolveInfo[Any]


def nodes(*found: Node) -> Node:
    return {"nodes": list(found)}


def money(amount: str) -> Node:
    return {"presentmentMoney": {"amount": amount}}


def errors(*messages: str, **more: str) -> list[Node]:
    return [{"message": message, "field": None, **more} for message in messages]


def connection(found: Callable[[], list[Node]]) -> Callable[..., Node]:
    """A field that lists nodes, up to as many as are asked for."""
    return lambda _, first, **__: nodes(*found()[:first])


def _asked_only(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Without the arguments that nobody gave and the schema fills in."""
    known = inspect.signature(resolver).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in known.values())
    return lambda info, **given: resolver(info, **{k: v for k, v in given.items() if takes_all or k in known})


def _line(number: str, sku: str, count: int) -> Node:
    gid = f"gid://shopify/LineItem/{number}"
    return {"id": gid, "sku": sku, "currentQuantity": count, "unfulfilledQuantity": count}


def _coming_back(order: Node, line: str) -> int:
    taken = [one for back in order["returned"] for one in back["lines"]]
    return sum(one["quantity"] for one in taken if one["fulfillmentLineItemId"].endswith(line.rpartition("/")[2]))


class Shop:
    """Orders, and all that was done to them."""

    def __init__(self) -> None:
        self.orders: dict[str, Node] = {}
        self.jobs: dict[str, int] = {}
        self.drafts: dict[str, tuple[Node, list[Node]]] = {}
        self.refunds_by_key: dict[str, Node] = {}
        self.variants = {"LAMP-02": "gid://shopify/ProductVariant/2"}
        self.marks: dict[str, Node] = {}
        self.cancels = 0
        self.gives_up = False
        self.looks = 2
        """How often one looks at a cancellation until it is done."""

    def order(self, number: int = 1, *, name: str = "#1001", paid: tuple[str, ...] = ("100.00",)) -> Node:
        """An order of two lamps (line 11) and a bulb (line 12), of which nothing has left."""
        gid = f"gid://shopify/Order/{number}"
        lines = [("11", "LAMP-01", 2), ("12", "BULB-01", 1)]
        self.orders[gid] = {
            "id": gid,
            "name": name,
            "presentmentCurrencyCode": "EUR",
            "cancelledAt": None,
            "tags": [],
            "sales": [self._sale(f"{number}{index}", amount) for index, amount in enumerate(paid)],
            "refunds": [],
            "returned": [],
            "lines": [
                {
                    "id": f"gid://shopify/LineItem/{line}",
                    "sku": sku,
                    "currentQuantity": count,
                    "unfulfilledQuantity": count,
                }
                for line, sku, count in lines
            ],
            "shippingAddress": None,
            "parts": [
                {
                    "id": f"gid://shopify/FulfillmentOrder/{number}",
                    "fulfillmentHolds": [],
                    "supportedActions": [{"action": "HOLD"}],
                }
            ],
            "metafield": lambda _, key, namespace: self.marks.get(key),
            "transactions": lambda _, first: self._transactions(gid)[:first],
            "lineItems": connection(lambda: self.orders[gid]["lines"]),
            "returns": connection(lambda: self.orders[gid]["returned"]),
            "fulfillmentOrders": connection(lambda: self.orders[gid]["parts"]),
        }
        return self.orders[gid]

    def ship(self, order: Node) -> None:
        """All of it leaves."""
        for line in order["lines"]:
            line["unfulfilledQuantity"] = 0
        order["parts"][0]["supportedActions"] = []

    def root(self) -> Node:
        """The resolvers of the schema's root types."""
        names: tuple[str, ...] = (
            "orders",
            "order",
            "refundCreate",
            "returnableFulfillments",
            "returnReasonDefinitions",
            "returnCreate",
        )
        edits = ("orderEditBegin", "orderEditSetQuantity", "orderEditAddVariant", "orderEditCommit", "productVariants")
        others = ("orderUpdate", "orderCancel", "job", "fulfillmentOrderHold", "fulfillmentOrderReleaseHold")
        names += (*edits, *others, "metafieldsSet", "tagsAdd")
        return {
            name: _asked_only(getattr(self, f"_{name}"))
            for name in (*names, *edits, *others, "metafieldsSet", "tagsAdd")
        }

    def _sale(self, number: str, amount: str) -> Node:
        gid = f"gid://shopify/OrderTransaction/{number}"
        sale = {"id": gid, "kind": "SALE", "status": "SUCCESS", "gateway": "bogus", "amountSet": money(amount)}
        return sale | {"parentTransaction": None}

    def _transactions(self, gid: str) -> list[Node]:
        order = self.orders[gid]
        return [*order["sales"], *(one for refund in order["refunds"] for one in refund["moved"])]

    def _orders(self, _: Info, first: int, query: str) -> Node:
        wanted = query.removeprefix("name:").strip('"')
        return nodes(*[one for one in self.orders.values() if one["name"].lstrip("#").startswith(wanted)][:first])

    def _order(self, _: Info, id: str) -> Node | None:
        return self.orders.get(id)

    def _refundCreate(self, info: Info, input: Node) -> Node:
        directive = info.schema.get_directive("idempotent")
        assert directive
        given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        if not given:
            raise ValueError("refundCreate needs @idempotent since 2026-04")
        if given["key"] in self.refunds_by_key:
            return {"refund": self.refunds_by_key[given["key"]], "userErrors": []}
        order = self.orders[input["orderId"]]
        for one in input["transactions"]:
            moved = [
                Decimal(known["amountSet"]["presentmentMoney"]["amount"]) * (1 if known["kind"] == "SALE" else -1)
                for known in self._transactions(order["id"])
                if one["parentId"] in (known["id"], (known["parentTransaction"] or {}).get("id"))
            ]
            if Decimal(one["amount"]) > sum(moved):
                return {"refund": None, "userErrors": errors("Refund amount is more than is left.")}
        number = sum(len(known["refunds"]) for known in self.orders.values()) + 1
        refund = {"id": f"gid://shopify/Refund/{number}", "note": input["note"], "currency": input["currency"]}
        refund["moved"] = [
            {
                "id": f"gid://shopify/OrderTransaction/9{number}{index}",
                "kind": "REFUND",
                "status": "SUCCESS",
                "gateway": one["gateway"],
                "amountSet": money(one["amount"]),
                "parentTransaction": {"id": one["parentId"]},
            }
            for index, one in enumerate(input["transactions"])
        ]
        order["refunds"].append(refund)
        self.refunds_by_key[given["key"]] = refund
        return {"refund": refund, "userErrors": []}

    def _returnableFulfillments(self, _: Info, orderId: str, first: int) -> Node:
        order = self.orders[orderId]
        lines = [
            {
                "quantity": line["currentQuantity"] - line["unfulfilledQuantity"] - _coming_back(order, line["id"]),
                "fulfillmentLineItem": {"id": line["id"].replace("LineItem", "FulfillmentLineItem"), "lineItem": line},
            }
            for line in order["lines"]
        ]
        left = [line for line in lines if line["quantity"]]
        return nodes(*[{"returnableFulfillmentLineItems": nodes(line)} for line in left][:first])

    def _returnReasonDefinitions(self, _: Info, first: int, handles: list[str]) -> Node:
        return nodes(*[{"id": f"gid://shopify/ReturnReasonDefinition/{handle}"} for handle in handles][:first])

    def _returnCreate(self, info: Info, returnInput: Node) -> Node:
        order, lines = self.orders[returnInput["orderId"]], returnInput["returnLineItems"]
        back = {
            "name": f"{order['name']}-R{len(order['returned']) + 1}",
            "status": "OPEN",
            "lines": lines,
            "returnLineItems": nodes(*[{"__typename": "ReturnLineItem", **line} for line in lines][:1]),
        }
        order["returned"].append(back)
        return {"return": back, "userErrors": []}

    def _orderUpdate(self, _: Info, input: Node) -> Node:
        order, to = self.orders[input["id"]], input["shippingAddress"]
        if len(to["zip"]) < 3:
            return {"userErrors": errors("Zip is not valid")}
        order["shippingAddress"] = to | {
            "name": f"{to['firstName']} {to['lastName']}".strip(),
            "countryCodeV2": to["countryCode"],
        }
        return {"userErrors": []}

    def _orderEditBegin(self, _: Info, id: str) -> Node:
        draft = f"gid://shopify/CalculatedOrder/{len(self.drafts) + 1}"
        lines = [
            {"id": f"gid://shopify/CalculatedLineItem/{index}", "sku": one["sku"], "quantity": one["currentQuantity"]}
            for index, one in enumerate(self.orders[id]["lines"])
        ]
        self.drafts[draft] = (self.orders[id], lines)
        return {
            "calculatedOrder": {"id": draft, "lineItems": connection(lambda: lines)},
            "userErrors": [],
        }

    def _orderEditSetQuantity(self, _: Info, id: str, lineItemId: str, quantity: int, restock: bool) -> Node:
        order, lines = self.drafts[id]
        index = next(index for index, line in enumerate(lines) if line["id"] == lineItemId)
        known = order["lines"][index]
        if quantity < known["currentQuantity"] - known["unfulfilledQuantity"]:
            return {"userErrors": errors("Quantity cannot be less than what is fulfilled")}
        lines[index]["quantity"] = quantity
        return {"userErrors": []}

    def _orderEditAddVariant(self, _: Info, id: str, variantId: str, quantity: int) -> Node:
        sku = next(sku for sku, gid in self.variants.items() if gid == variantId)
        self.drafts[id][1].append({"id": "new", "sku": sku, "quantity": quantity})
        return {"userErrors": []}

    def _orderEditCommit(self, _: Info, id: str, notifyCustomer: bool, staffNote: str) -> Node:
        order, lines = self.drafts.pop(id)
        for index, line in enumerate(lines):
            if index < len(order["lines"]):
                known = order["lines"][index]
                known["unfulfilledQuantity"] += line["quantity"] - known["currentQuantity"]
                known["currentQuantity"] = line["quantity"]
            else:
                order["lines"].append(_line(f"9{index}", line["sku"], line["quantity"]))
        return {"userErrors": []}

    def _productVariants(self, _: Info, first: int, query: str) -> Node:
        wanted = query.removeprefix("sku:").strip('"')
        return nodes(*[{"id": gid, "sku": sku} for sku, gid in self.variants.items() if sku == wanted][:first])

    def _orderCancel(self, _: Info, orderId: str, **asked: Any) -> Node:
        assert asked["refundMethod"] == {"originalPaymentMethodsRefund": False}, "its money has a command of its own"
        order = self.orders[orderId]
        if not any(line["unfulfilledQuantity"] for line in order["lines"]) or order["cancelledAt"]:
            return {"job": None, "orderCancelUserErrors": errors("Cannot cancel the order", code="INVALID")}
        self.cancels += 1
        job = f"gid://shopify/Job/{orderId.rpartition('/')[2]}"
        self.jobs[job] = self.looks
        return {"job": {"id": job, "done": False}, "orderCancelUserErrors": []}

    def _job(self, _: Info, id: str) -> Node:
        self.jobs[id] -= 1
        if not self.jobs[id] and not self.gives_up:
            self.orders[f"gid://shopify/Order/{id.rpartition('/')[2]}"]["cancelledAt"] = "2026-11-03T12:00:00Z"
        return {"id": id, "done": self.jobs[id] <= 0}

    def _part(self, id: str) -> Node:
        return next(part for order in self.orders.values() for part in order["parts"] if part["id"] == id)

    def _fulfillmentOrderHold(self, _: Info, id: str, fulfillmentHold: Node) -> Node:
        holds = self._part(id)["fulfillmentHolds"]
        if any(hold["handle"] == fulfillmentHold["handle"] for hold in holds):
            taken = errors("The handle is in use already", code="DUPLICATE_FULFILLMENT_HOLD_HANDLE")
            return {"userErrors": taken}
        holds.append(
            {"id": f"gid://shopify/FulfillmentHold/{len(holds)}", "heldByRequestingApp": True} | fulfillmentHold
        )
        return {"userErrors": []}

    def _fulfillmentOrderReleaseHold(self, _: Info, id: str, holdIds: list[str]) -> Node:
        part = self._part(id)
        part["fulfillmentHolds"] = [hold for hold in part["fulfillmentHolds"] if hold["id"] not in holdIds]
        return {"userErrors": []}

    def _metafieldsSet(self, _: Info, metafields: list[Node]) -> Node:
        self.marks |= {one["key"]: one for one in metafields}
        return {"userErrors": []}

    def _tagsAdd(self, _: Info, id: str, tags: list[str]) -> Node:
        self.orders[id]["tags"] = sorted({*self.orders[id]["tags"], *tags})
        return {"userErrors": []}
