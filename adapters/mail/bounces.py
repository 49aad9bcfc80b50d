"""Mail that says what became of a letter: delivery status notifications (RFC 3464), and those that are only prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from adapters.mail import headers
from adapters.mail.body import texts
from adapters.mail.parts import Part
from aftersales.message_ids import case_of

LONGEST = 500
"""Characters of what a mail server says that are kept."""

Fate = Literal["failed", "delayed", "delivered"]
_WORST_FIRST: tuple[Fate, ...] = ("failed", "delayed", "delivered")

_DAEMON = re.compile(r"(?:mailer[-_.]?daemon|mail[-_]?daemon|mdaemon|postmaster)(?:\+[^@]*)?@", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?:mail )?(?:delivery|transport) (?:status notification|fail|incomplete|notification|report|error)"
    r"|mail system error|undeliver|returned mail|failure notice|mail could not be delivered|non[- ]?delivery"
    r"|message (?:not delivered|delayed)|delivery (?:has )?(?:delayed|failed)|warning: (?:message|could not send)"
    r"|unzustellbar|nicht zugestellt|zustellung|non remis|non distribu|échec de (?:la )?remise"
    r"|no se (?:ha podido|pudo) entregar|no entregado|error de entrega"
    r"|退信|投递失败|未送达|配信不能|配信エラー|送信できません",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"will (?:be retried|keep trying|continue|retry|be attempted)|warning message only"
    r"|not (?:yet )?been delivered yet|has not yet been delivered|no action is required|delayed"
    r"|wird weiter versucht|verzögert|retard|se seguirá intentando|demorad|延迟|继续尝试|遅延|再送",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.:-])([45]\d\d)(?=[ -])")
_ADDRESS = re.compile(r"[^\s<>;,:()\"'@\\]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_ID = re.compile(r"<[^<>\s]{10,400}>")
_ID_HEADER = re.compile(r"^[ \t]*Message-ID:[ \t]*(<[^<>\s]{10,400}>)", re.IGNORECASE | re.MULTILINE)
_CASE_HEADER = re.compile(r"^[ \t]*X-Aftersales-Case:[ \t]*(\S.{0,300})$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """What became of a letter.

    `letter` is its Message-ID and `case_header` its X-Aftersales-Case, each empty where the report does not say;
    `status` as in RFC 3463; `permanent` where the same address will not do later either; `text` is the server's own.
    """

    fate: Fate
    letter: str
    case_header: str
    recipient: str
    status: str
    permanent: bool
    text: str


def report_of(mail: Part) -> Report | None:
    """What a mail reports of a letter; None for mail that is no report."""
    for part in _reports(mail):
        if report := _structured(mail, part):
            return report
    return _prose(mail) if _is_prose_report(mail) else None


def _reports(part: Part) -> Iterator[Part]:
    """The delivery status parts, not those of mails that are returned or forwarded."""
    if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
        yield part
    elif part.get_content_maintype() == "multipart":
        for inner in part.parts:
            yield from _reports(inner)


def _structured(mail: Part, status: Part) -> Report | None:
    told = [(_fate(block), block) for block in status.parts or [status] if block.get("action")]
    if not told:
        return None
    fate, block = min(told, key=lambda one: _WORST_FIRST.index(one[0]))
    stated = headers.header(block, "status")
    said = headers.header(block, "diagnostic-code")
    code = _STATUS.search(stated) or _STATUS.search(said)
    recipient = headers.header(block, "final-recipient") or headers.header(block, "original-recipient")
    address = _ADDRESS.search(recipient)
    letter, case_header = _letter(mail)
    status_code = code[1] if code else _status_of(said)
    return Report(
        fate=fate,
        letter=letter,
        case_header=case_header,
        recipient=address[0].lower() if address else "",
        status=status_code,
        permanent=fate == "failed" and not status_code.startswith("4"),
        text=(said or next((text.strip() for text in texts(mail) if text.strip()), ""))[:LONGEST],
    )


def _fate(block: Part) -> Fate:
    action = headers.header(block, "action").lower()
    if action.startswith("failed"):
        return "failed"
    return "delayed" if action.startswith("delayed") else "delivered"


def _is_prose_report(mail: Part) -> bool:
    if "x-failed-recipients" in mail:
        return True
    _, sender = headers.address(mail.get("from", ""))
    nobody = mail.get("return-path", "-").strip() == "<>"
    titled = bool(_SUBJECT.search(headers.header(mail, "subject")))
    daemon = bool(_DAEMON.match(sender))
    # Behind "postmaster" there may be a person.
    return (daemon and (nobody or titled or not sender.startswith("postmaster"))) or (nobody and titled)


def _prose(mail: Part) -> Report:
    said = "\n".join(texts(mail))[:100_000]
    status, code = _STATUS.search(said), _CODE.search(said)
    delayed = bool(_DELAY.search(said[:3_000])) and not (code and code[1] >= "500")
    failed = headers.header(mail, "x-failed-recipients")
    _, ours = headers.address(mail.get("to", ""))
    addresses = (match[0].lower() for match in _ADDRESS.finditer(f"{failed}\n{said}"))
    letter, case_header = _letter(mail)
    status_code = status[1] if status else f"{code[1][0]}.0.0" if code else ""
    return Report(
        fate="delayed" if delayed else "failed",
        letter=letter,
        case_header=case_header,
        recipient=next((found for found in addresses if found != ours and not _DAEMON.match(found)), ""),
        status=status_code,
        permanent=not delayed and not status_code.startswith("4"),
        text=said.strip()[:LONGEST],
    )


def _letter(mail: Part) -> tuple[str, str]:
    """The Message-ID and the case of the letter that a report returns, whole, its headers, or as text."""
    whole = "\n".join([*_returned_headers(mail), *texts(mail)])[:1_000_000]
    named = [match for match in _ID_HEADER.findall(whole) if case_of(match)]
    ours = named or [match for match in _ID.findall(whole) if case_of(match)]
    case = _CASE_HEADER.search(whole)
    return ours[0] if ours else "", headers.decoded(case[1]) if case else ""


def _returned_headers(part: Part) -> Iterator[str]:
    if part.get_content_type() in ("message/rfc822", "message/global", "message/rfc822-headers"):
        for inner in part.parts:
            for name in ("message-id", "x-aftersales-case"):
                if value := inner.get(name):
                    # A folded value is in one line again.
                    yield f"{name}: {' '.join(value.split())}"
    for inner in part.parts:
        yield from _returned_headers(inner)


def _status_of(said: str) -> str:
    code = _CODE.search(said)
    return f"{code[1][0]}.0.0" if code else ""
