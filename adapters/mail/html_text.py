"""HTML of a mail to plain text, without what the mail program quoted and without what nobody sees.

A scanner of its own: whatever the input, its time is in proportion to the length, which holds for no HTML parser here
(they repair the tree as browsers do, or look for the end of a tag again and again).
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

LONGEST = 400_000
"""Characters of HTML that are read. The answer stands at the top."""
_LONGEST_TAG = 2_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})(?![a-zA-Z0-9:-])")
_ATTRIBUTE = re.compile(r"""([a-zA-Z][\w:-]*+)(?:\s*+=\s*+("[^"]*+"?|'[^']*+'?|[^\s"'>]++))?""")
_ENDLESS_ENTITY = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")
_SPACES = re.compile(r"[ \t\r\n\f]+")

_RAW = frozenset({"script", "style", "title", "xmp", "noembed", "noframes"})
"""Elements whose content is no HTML; none of it is shown."""
_UNSEEN = frozenset({"template", "noscript", "object", "svg", "math", "select", "datalist", "audio", "video"})
_PARAGRAPH = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre"})
_LINE = frozenset(
    {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "address", "center", "form", "body", "hr"}
)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "area", "base", "embed", "source"})

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|max-height\s*:\s*0(?:px)?\s*(?:;|$)"
)
_QUOTE_CLASSES = re.compile(
    r"(?:^|\s)(?:gmail_attr|gmail_quote_attribution|yahoo_quoted|protonmail_quote|tutanota_quote|moz-cite-prefix"
    r"|zmail_extra|ms-outlook-mobile-reference-message|\S*yahoo-quoted-begin)(?:\s|$)",
    re.IGNORECASE,
)
_QUOTE_IDS = re.compile(
    r"(?:\S*_)?(?:yahoo_quoted|isreplycontent|mail-editor-reference-message-container)\S*", re.IGNORECASE
)
_REST_IDS = re.compile(r"(?:x_)*(?:divrplyfwdmsg|appendonsend|outlookmessageheader)", re.IGNORECASE)
"""Outlook puts the old message behind these, not into them."""
_ATTRIBUTION = re.compile(r".*(?:@|\d{4}|\d:\d\d).*[:：]\s*", re.DOTALL)


class _Element(NamedTuple):
    name: str
    attributes: dict[str, str]

    @property
    def is_unseen(self) -> bool:
        style = self.attributes.get("style", "").lower()
        return self.name in _UNSEEN or "hidden" in self.attributes or bool(_HIDDEN.search(style))

    @property
    def is_quote(self) -> bool:
        if self.name == "blockquote" or _QUOTE_CLASSES.search(self.attributes.get("class", "")):
            return True
        named_quote = self.name == "div" and self.attributes.get("name", "").lower() == "quote"
        return named_quote or bool(_QUOTE_IDS.fullmatch(self.attributes.get("id", "")))

    @property
    def begins_the_old_mail(self) -> bool:
        return bool(_REST_IDS.fullmatch(self.attributes.get("id", "")))


class _Paper:
    """The text as it grows, line by line."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.preformatted = 0

    def write(self, text: str) -> None:
        text = html.unescape(_ENDLESS_ENTITY.sub("\ufffd", text))
        if self.preformatted:
            first, *more = text.split("\n")
            self.lines[-1].append(first)
            self.lines += [[line] for line in more]
        elif text := _SPACES.sub(" ", text):
            begins = not self.lines[-1] or self.lines[-1][-1].endswith(" ")
            if text := text.removeprefix(" ") if begins else text:
                self.lines[-1].append(text)

    def new_line(self) -> None:
        if self.lines[-1]:
            self.lines.append([])

    def break_line(self) -> None:
        self.lines.append([])

    def new_paragraph(self) -> None:
        self.new_line()
        if len(self.lines) > 1 and self.lines[-2]:
            self.lines.append([])

    def forget_attribution(self) -> None:
        """Take "On … she wrote:" back, whose quotation is left out: what follows below is the customer's again."""
        filled = [at for at in range(len(self.lines) - 1, max(-1, len(self.lines) - 8), -1) if self._line(at)][:2]
        for count in range(1, len(filled) + 1):
            start = filled[count - 1]
            said = " ".join(self._line(at) for at in range(start, filled[0] + 1))
            if len(said) <= 400 and _ATTRIBUTION.fullmatch(said):
                self.lines[start:] = [[]]
                return

    def _line(self, at: int) -> str:
        return "".join(self.lines[at]).strip()

    @property
    def text(self) -> str:
        lines = ["".join(line).replace("\xa0", " ").rstrip() for line in self.lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader:
    def __init__(self) -> None:
        self.paper = _Paper()
        self.lists: list[int] = []
        self.skipping, self.depth = "", 0

    def start(self, element: _Element) -> None:
        if self.skipping:
            self.depth += element.name == self.skipping
            return
        if (element.is_quote or element.is_unseen) and element.name not in _VOID:
            if element.is_quote:
                self.paper.forget_attribution()
                self.paper.new_line()
            self.skipping, self.depth = element.name, 1
            return
        self._lay_out(element)

    def end(self, name: str) -> None:
        if self.skipping:
            self.depth -= name == self.skipping
            if not self.depth:
                self.skipping = ""
        elif name in _PARAGRAPH:
            self._leave(name)
            self.paper.new_paragraph()
        elif name in _LINE:
            self.paper.new_line()
        elif name in ("td", "th"):
            self.paper.write(" ")

    def text(self, text: str) -> None:
        if not self.skipping:
            self.paper.write(text)

    def _lay_out(self, element: _Element) -> None:
        name = element.name
        if name == "br":
            self.paper.break_line()
        elif name in _PARAGRAPH:
            self.paper.new_paragraph()
            self.paper.preformatted += name == "pre"
            if name in ("ul", "ol"):
                self.lists.append(0 if name == "ol" else -1)
        elif name in _LINE:
            self.paper.new_line()
            if name == "li":
                self._number()
        elif name == "img" and (alt := html.unescape(element.attributes.get("alt", ""))) and len(alt) <= 4:
            # Mail programs send emoji as pictures.
            self.paper.write(alt if not alt.isascii() else "")

    def _number(self) -> None:
        if self.lists and self.lists[-1] >= 0:
            self.lists[-1] += 1
            self.paper.write(f"{self.lists[-1]}. ")
        else:
            self.paper.write("- ")

    def _leave(self, name: str) -> None:
        if name in ("ul", "ol") and self.lists:
            self.lists.pop()
        if name == "pre":
            self.paper.preformatted = max(0, self.paper.preformatted - 1)


def text_of(source: str) -> str:
    """What a person wrote in this HTML, as plain text: paragraphs, lines, lists, links by their words. Never raises."""
    source = source[:LONGEST]
    reader, at = _Reader(), 0
    while (opened := source.find("<", at)) >= 0:
        reader.text(source[at:opened])
        if source.startswith("<!--", opened):
            end, length = source.find("-->", opened), 3
        elif source.startswith(("<!", "<?"), opened):
            end, length = source.find(">", opened), 1
        elif tag := _TAG.match(source, opened):
            end, length = _tag_end(source, opened), 1
            name = tag[2].lower()
            if end >= 0 and tag[1]:
                reader.end(name)
            elif end >= 0:
                element = _Element(name, _attributes(source[tag.end() : min(end, tag.end() + _LONGEST_TAG)]))
                if element.begins_the_old_mail and not reader.skipping:
                    return reader.paper.text
                if name in _RAW:
                    closing = re.compile(f"</{name}", re.IGNORECASE).search(source, end)
                    end, length = closing.start() if closing else -1, 0
                else:
                    reader.start(element)
        else:
            reader.text("<")
            at = opened + 1
            continue
        if end < 0:
            # What never ends is not shown; and looking for its end once is enough.
            return reader.paper.text
        at = end + length
    reader.text(source[at:])
    return reader.paper.text


def _tag_end(source: str, opened: int) -> int:
    """Where a tag's `>` is; one in quotes, such as `alt="a > b"`, is none. -1 where there is none."""
    end = source.find(">", opened)
    quotes = source.count('"', opened, end)
    if end >= 0 and quotes % 2:
        closing = source.find('"', end, end + _LONGEST_TAG)
        further = source.find(">", closing, closing + _LONGEST_TAG) if closing >= 0 else -1
        return further if further >= 0 else end
    return end


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        found.setdefault(match[1].lower(), (match[2] or "").strip("\"'"))
    return found
