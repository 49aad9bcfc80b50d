"""Who wrote a mail: a customer, or a machine of some kind."""

from __future__ import annotations

import re
from typing import Literal

from adapters.mail import headers
from adapters.mail.bounces import Report
from adapters.mail.parts import Part
from adapters.mail.settings import MailSettings

Kind = Literal["message", "bounce", "delayed", "auto_reply", "list", "receipt", "own"]

_SAYS_SO = re.compile(
    r"\W*(?:(?:automatic|auto(?:mated)?)[- ]?(?:reply|response)|out of (?:the )?office(?: auto-?reply)?\s*:"
    r"|自动(?:回复|答复)|自動(?:回覆|回復|答覆)"
    r"|automatische (?:antwort|rückmeldung)|abwesenheits(?:notiz|nachricht|assistent|meldung)"
    r"|réponse automatique|réponse d'absence|respuesta automática|自動(?:応答|返信|回答)|不在(?:通知|連絡))",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"out of (?:the )?office|away from|on (?:vacation|holiday|leave)|vacation|不在(?:办公室)?|休假|出差|外出|年假"
    r"|abwesen|nicht im büro|urlaub|absen(?:t|ce)|cong[ée]s?\b|hors du bureau|fuera de (?:la )?oficina|ausen(?:te|cia)"
    r"|vacaciones|休暇|外出中",
    re.IGNORECASE,
)


def kind_of(mail: Part, report: Report | None, sender: str, settings: MailSettings, *, answers: bool) -> Kind:
    """The kind of a mail. `report` is what it says of a letter; `answers` whether it answers a letter of ours."""
    if report:
        return {"failed": "bounce", "delayed": "delayed", "delivered": "receipt"}[report.fate]  # type: ignore[return-value]
    if "x-aftersales-case" in mail or sender in settings.own_addresses:
        return "own"
    if _is_receipt(mail):
        return "receipt"
    if _is_automatic(mail):
        return "auto_reply"
    if _is_list(mail, settings) and not answers:
        return "list"
    return "message"


def _is_receipt(mail: Part) -> bool:
    if mail.get_content_type() == "message/disposition-notification":
        return True
    told = {part.get_content_type() for part in mail.parts}
    reported = mail.parameter("report-type").lower()
    return reported == "disposition-notification" or "message/disposition-notification" in told


def _is_automatic(mail: Part) -> bool:
    submitted = headers.header(mail, "auto-submitted").lower().partition(";")[0].strip()
    if submitted not in ("", "no") or mail.get_content_type() == "multipart/report":
        return True
    if any(
        headers.header(mail, name).lower() not in ("", "no")
        for name in ("x-autoreply", "x-autorespond", "x-autoresponder")
    ):
        return True
    if headers.header(mail, "precedence").lower() in ("auto_reply", "bulk", "junk"):
        return True
    subject = headers.header(mail, "subject")
    suppresses = headers.header(mail, "x-auto-response-suppress").lower() not in ("", "none")
    return bool(_SAYS_SO.match(subject)) or (suppresses and bool(_AWAY.search(subject)))


def _is_list(mail: Part, settings: MailSettings) -> bool:
    name = headers.header(mail, "list-id")
    listed = bool(name) or headers.header(mail, "precedence").lower() == "list"
    return listed and name.rpartition("<")[2].strip("<> ").lower() not in settings.own_lists
