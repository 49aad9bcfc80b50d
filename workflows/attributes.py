"""The search attributes of every case: the one registry. The server must know them before a case uses them."""

from __future__ import annotations

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.common import SearchAttributeKey

ORDER_ID = SearchAttributeKey.for_keyword("OrderId")
SHOP = SearchAttributeKey.for_keyword("Shop")
PROCESS = SearchAttributeKey.for_keyword("Process")
STAGE = SearchAttributeKey.for_keyword("Stage")
DEADLINE = SearchAttributeKey.for_datetime("Deadline")
DUE = SearchAttributeKey.for_datetime("Due")
"""The nearest of all clocks of a case; its deadline is the one that it waits for."""
DUE_FOR = SearchAttributeKey.for_keyword("DueFor")
"""Whose clock that is."""
RESULT = SearchAttributeKey.for_keyword("Result")
ANGRY = SearchAttributeKey.for_bool("Angry")
POLICY_VERSION = SearchAttributeKey.for_keyword("PolicyVersion")

ALL = (ORDER_ID, SHOP, PROCESS, STAGE, DEADLINE, DUE, DUE_FOR, RESULT, ANGRY, POLICY_VERSION)
TYPES = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in ALL}
"""Name and type of each, as the server wants them registered."""
