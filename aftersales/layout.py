"""A letter's content laid out as plain text and as HTML.

The HTML is one column with inline styles, since mail programs drop style sheets; the style sheet in its head
only adds the dark colours where it survives. Every text is escaped here, and only http and https addresses
become links.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from aftersales.plaintext import wrap

_FONT = "-apple-system,'Segoe UI',Roboto,{han},Arial,sans-serif"
# Characters that Chinese and Japanese share are drawn differently, each by fonts of its own.
_HAN = "'PingFang SC','Microsoft YaHei','Noto Sans SC'"
_HAN_OF = {"ja": "'Hiragino Sans','Yu Gothic UI',Meiryo,'Noto Sans JP'"}
_DARK = """<style>
@media (prefers-color-scheme: dark) {
.page { background: #16181c !important; }
.card { background: #212429 !important; border-color: #3a3f47 !important; }
.ink { color: #eceef1 !important; }
.soft { color: #a9b0ba !important; border-color: #3a3f47 !important; }
.choice { background: #2a2e35 !important; border-color: #4a515c !important; }
.link { color: #8fb8ff !important; }
}
</style>"""
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
{dark}
</head>
<body class="page" style="margin:0;padding:16px 10px;background:#f2f3f5;-webkit-text-size-adjust:100%">
<div class="card ink" style="{card}">
{body}
</div>
</body>
</html>
"""
_CARD = (
    "max-width:560px;margin:0 auto;padding:24px 22px;background:#ffffff;border:1px solid #e0e3e8;"
    "border-radius:10px;box-sizing:border-box;color:#1d2127;overflow-wrap:anywhere;"
    f"font-family:{_FONT};font-size:16px;line-height:1.6"
)
_PARAGRAPH = "margin:0 0 16px"
_CHOICE = (
    "margin:0 0 10px;padding:11px 14px 11px 44px;background:#f5f7fa;border:1px solid #d5dae1;"
    "border-radius:8px;text-indent:-30px"
)
_NUMBER = "display:inline-block;width:30px;text-indent:0;font-weight:700;color:#1f5fbf"
_BUTTON = (
    "display:inline-block;padding:11px 20px;background:#1f5fbf;border-radius:8px;color:#ffffff;"
    "font-weight:600;text-decoration:none"
)
_LINK = "color:#1f5fbf"
_SOFT = "margin:24px 0 0;padding:14px 0 0;border-top:1px solid #e0e3e8;font-size:14px;color:#5b6470"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of points."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Links:
    """One or more links, each a text and an address; one alone is drawn as a button."""

    links: tuple[tuple[str, str], ...]


Block = Paragraph | Points | Links


@dataclass(frozen=True, slots=True)
class Sheet:
    """The content of one letter, as plain texts of one line each; `language` is the tag it is written in.

    A letter to staff has neither closing nor signature nor order.
    """

    language: str
    subject: str
    greeting: str
    paragraphs: tuple[Block, ...]
    choices: tuple[str, ...]
    choose: str
    after_choices: tuple[Block, ...]
    closing: str
    signature: tuple[str, ...]
    order: tuple[str, ...]


def is_web_address(address: str) -> bool:
    """Whether an address may become a link: http or https, with a host and nothing that ends it early."""
    if not address.isprintable() or any(char in " \"'<>\\`" for char in address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def as_text(sheet: Sheet) -> str:
    """The letter as plain text of at most 72 columns; addresses are never broken."""
    colon = _colon(sheet)
    chunks = [wrap(sheet.greeting), *(_text_of(block, colon) for block in sheet.paragraphs)]
    if sheet.choices:
        chunks.append(
            [line for number, choice in _numbered(sheet) for line in wrap(f"{number}. {choice}", indent="   ")]
        )
        chunks.append(wrap(sheet.choose))
    chunks += [_text_of(block, colon) for block in sheet.after_choices]
    if sheet.closing:
        chunks.append(wrap(sheet.closing))
    chunks.append([line for part in sheet.signature for line in wrap(part)])
    if sheet.order:
        chunks.append(["-" * 24, *(line for part in sheet.order for line in wrap(part, indent="  "))])
    return "\n\n".join("\n".join(chunk) for chunk in chunks if chunk) + "\n"


def as_html(sheet: Sheet) -> str:
    """The letter as an HTML page."""
    colon = _colon(sheet)
    body = [_paragraph(sheet.greeting), *(_html_of(block, colon) for block in sheet.paragraphs)]
    if sheet.choices:
        body += [_choice(number, choice) for number, choice in _numbered(sheet)]
        body.append(f'<p style="margin:16px 0">{escape(sheet.choose)}</p>')
    body += [_html_of(block, colon) for block in sheet.after_choices]
    if sheet.closing:
        body.append(_paragraph(sheet.closing))
    if sheet.signature:
        body.append(f'<p style="margin:0">{_lines(sheet.signature)}</p>')
    if sheet.order:
        body.append(f'<p class="soft" style="{_SOFT}">{_lines(sheet.order)}</p>')
    return _PAGE.format(
        language=escape(sheet.language),
        subject=escape(sheet.subject),
        dark=_DARK,
        card=_CARD.format(han=_HAN_OF.get(_base(sheet), _HAN)),
        body="\n".join(body),
    )


def _lines(texts: tuple[str, ...]) -> str:
    return "<br>\n".join(map(escape, texts))


def _colon(sheet: Sheet) -> str:
    return {"fr": "\xa0:", "ja": "：", "zh": "："}.get(_base(sheet), ":")


def _base(sheet: Sheet) -> str:
    return sheet.language.split("-")[0].lower()


def _numbered(sheet: Sheet) -> list[tuple[int, str]]:
    return list(enumerate(sheet.choices, start=1))


def _text_of(block: Block, colon: str) -> list[str]:
    match block:
        case Paragraph():
            return wrap(block.text)
        case Points():
            return [line for text in block.texts for line in wrap(f"- {text}", indent="  ")]
        case Links():
            return [line for text, address in block.links for line in (*wrap(f"{text}{colon}"), address)]


def _html_of(block: Block, colon: str) -> str:
    match block:
        case Paragraph():
            return _paragraph(block.text)
        case Points():
            points = "\n".join(f'<li style="margin:0 0 6px">{escape(text)}</li>' for text in block.texts)
            return f'<ul style="margin:0 0 16px;padding-left:22px">\n{points}\n</ul>'
        case Links():
            style, name = (_BUTTON, "button") if len(block.links) == 1 else (_LINK, "link")
            links = (_link(text, address, style, name, colon) for text, address in block.links)
            return f'<p style="{_PARAGRAPH}">' + "<br>\n".join(links) + "</p>"


def _paragraph(text: str) -> str:
    return f'<p style="{_PARAGRAPH}">{escape(text)}</p>'


def _choice(number: int, text: str) -> str:
    badge = f'<span class="link" style="{_NUMBER}">{number}.</span>'
    return f'<div class="choice" style="{_CHOICE}">{badge}{escape(text)}</div>'


def _link(text: str, address: str, style: str, name: str, colon: str) -> str:
    if not is_web_address(address):
        return escape(f"{text}{colon} {address}")
    return f'<a class="{name}" style="{style}" href="{escape(address)}">{escape(text)}</a>'
