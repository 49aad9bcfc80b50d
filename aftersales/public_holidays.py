"""The public holidays of a country, filled into the hours of a policy when it is loaded (rule 10)."""

from __future__ import annotations

from collections.abc import Iterable

from aftersales.deadlines import Hours


def with_public_holidays(hours: Hours, years: Iterable[int]) -> Hours:
    """The hours with the holidays of their country in these years, and with its weekends that are worked instead.

    Raises ValueError for a country or a subdivision whose holidays nobody has listed.
    """
    if not hours.country:
        return hours
    # Here, because a worker needs it no more once its policies are loaded, and a case never does.
    import holidays

    country, _, part = hours.country.partition("-")
    wanted = sorted(years)
    try:
        listed = holidays.country_holidays(country, subdiv=part or None, years=wanted)
    except NotImplementedError:
        raise ValueError(
            f"no public holidays are known of {hours.country!r}; write an ISO 3166 code such as CN, US or DE-BY, or "
            "list the days under holidays"
        ) from None
    worked = (day for day in getattr(listed, "weekend_workdays", ()) if day.year in wanted)
    return hours.model_copy(
        update={
            "holidays": tuple(sorted({*hours.holidays, *listed})),
            "workdays": tuple(sorted({*hours.workdays, *worked} - set(hours.holidays))),
        }
    )
