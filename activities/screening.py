"""Screening of replies: what a customer's text means. Runs as a local activity: pure, about a millisecond."""

from __future__ import annotations

from temporalio import activity

from aftersales.model import Model
from aftersales.parcel_talk import TOPICS, parcel_topic
from aftersales.screening import Screened, screen


class ScreenRequest(Model):
    """A reply to read against the choices of the letter it answers, or for what it says about a parcel (`TOPICS`)."""

    text: str
    choice: str | int | None
    options: tuple[str, ...]
    language: str


@activity.defn(name="screen_reply")
async def screen_reply(request: ScreenRequest) -> Screened:
    """Tell which choice the customer means, or `unclear`, and whether the customer is angry."""
    if request.options == TOPICS:
        angry = screen(request.text, None, (), request.language).angry
        return Screened(parcel_topic(request.text, request.language), angry)
    return screen(request.text, request.choice, request.options, request.language)
