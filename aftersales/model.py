"""The base of every value that crosses a boundary, and the field types that values share."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints


class Model(BaseModel):
    """An immutable value. Unknown extra fields are left out, as `spec/events.md` asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


def _amount(value: object) -> Decimal:
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, str) and _DECIMAL.fullmatch(value):
        amount = Decimal(value)
    else:
        raise ValueError(f'write money as a decimal string such as "12.90", in quotes, not {str(value)[:40]!r}')
    if not amount.is_finite():
        raise ValueError(f'write money as a decimal string such as "12.90", not {value!r}')
    if amount < 0:
        raise ValueError(f"money cannot be negative, got {value}")
    exponent = amount.as_tuple().exponent
    if amount >= 10**12 or (isinstance(exponent, int) and exponent < -4):
        raise ValueError(f"money takes at most 12 digits before and 4 after the point, got {str(value)[:40]}")
    return amount


Amount = Annotated[Decimal, BeforeValidator(_amount), PlainSerializer(str, return_type=str)]
"""Money in the currency of its order: a decimal string outside, a `Decimal` inside, never negative, never a float."""

Text = Annotated[str, StringConstraints(max_length=20_000)]
"""What a person wrote, at most 20,000 characters."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""A short required identifier or name, 1 to 200 characters."""

Time = AwareDatetime
"""A moment with its offset (RFC 3339); a time without an offset is refused."""
