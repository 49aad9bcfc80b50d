"""The customer's own words in a reply: cleaned of invisible characters, without what the mail program quoted."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 20_000
"""Characters of a reply that are read. What lies behind is never judged (screening then answers unclear)."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\u20e3\ud800-\udfff\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]"
)
_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07`\u00b4", "'"))
# NFKC would run two circled numbers together into one number.
_CIRCLED = {ord("\u2460") + n: f" {n + 1} " for n in range(9)} | {ord("\u2776") + n: f" {n + 1} " for n in range(9)}
_MOST_MARKS = 4

_QUOTED_LINE = re.compile(r"\s{0,9}[>›＞]")
_WROTE = re.compile(
    r"\s*(?:on\b.{0,300}\bwrote|am\b.{0,300}\bschrieb.{0,120}|le\b.{0,300}\ba écrit|el\b.{0,300}\bescribió.{0,120}"
    r"|[在於于].{0,300}(?:写道|寫道)|.{0,300}<[^<>\s]{1,200}@[^<>\s]{1,200}>.{0,40}(?:写道|寫道)"
    r"|\d{4}年.{0,100}(?:<[^<>\s]{1,200}@[^<>\s]{1,200}>|のメール|のメッセージ).{0,20})\s?[:：]\s*$",
    re.IGNORECASE,
)
_WROTE_BEGINS = re.compile(r"\s*(?:on|am|le|el)\s.{0,60}\d|\s*[在於于].{0,30}\d", re.IGNORECASE)
_REST_IS_OLD = re.compile(
    r"\s*(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|message d'origine|message original|message transféré|mensaje original|mensaje reenviado|原始邮件|原始郵件"
    r"|元のメッセージ|転送メッセージ)"
    r"|begin forwarded message\s*:|_{10,}\s*$|(?:发件人|寄件者|寄件人|差出人)\s?[:：]|--\s?$)",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*(?:from|von|de)\s?:\s.{0,300}$", re.IGNORECASE)
_MAIL_HEADER = re.compile(
    r"\s*(?:sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto)\s?:", re.IGNORECASE
)
_SENT_FROM = re.compile(
    r"\s*(?:sent from my .{1,40}|get outlook for .{1,20}|发自我的.{1,20}|von meinem .{1,40} gesendet"
    r"|(?:gesendet von|envoyé (?:de|depuis)|enviado desde) .{1,40}|.{1,20}から送信)$",
    re.IGNORECASE,
)

_CLOSING_WORD = (
    r"(?:regards|thanks|thank you|wishes|cheers|sincerely|respectfully|faithfully|truly|yours|kind|kindest|best|warm"
    r"|warmest|many|with|and|br|mit|freundlichen|freundliche|viele|vielen|liebe|beste|besten|schöne|herzliche|grüßen"
    r"|grüße|gruß|grüssen|grüsse|gruss|danke|dank|mfg|lg|vg|cordialement|bien|salutations|merci|cdlt|un|saludos?"
    r"|cordial|atentamente|cordialmente|gracias)"
)
_CLOSING = re.compile(rf"\s*{_CLOSING_WORD}(?:,?\s+{_CLOSING_WORD})*\s*(?:[,.!–-]\s*(.*)|$)", re.IGNORECASE)
_IN_NAMES = {"of", "and", "the", "for", "at", "de", "da", "di", "du", "van", "von", "der", "den", "la", "le", "el"}
_NOT_IN_NAMES = (
    *("i", "me", "my", "you", "your", "we", "our", "its", "they", "is", "are", "was", "be", "did", "have", "has"),
    *("would", "must", "not", "no", "yes", "ok", "okay", "sure", "never", "but", "please", "want", "need", "give"),
    *("get", "send", "pay", "now", "this", "that", "what", "why", "when", "how", "where", "if", "agreed", "accepted"),
    *("ich", "mein", "sie", "wir", "nicht", "nein", "ja", "aber", "bitte", "kein", "keine", "geld", "möchte"),
    *("je", "mon", "vous", "nous", "pas", "non", "oui", "mais", "argent", "veux", "yo", "mi", "quiero", "pero", "sí"),
    *("si", "nunca", "dinero", "acepto", "accepte", "akzeptiere", "d'accord", "einverstanden"),
)
_LONGEST_SIGNATURE, _LONGEST_LINE_OF_A_SIGNATURE, _MOST_WORDS_OF_A_NAME = 8, 80, 6


def own_words(text: str) -> str:
    """`text` (any length; the first LONGEST characters count) with plain line ends and apostrophes, without invisible
    characters, quoted lines (`>`), `On … wrote:` blocks, forwarded mail and mail-program signatures."""
    return without_quotes(clean(text[:LONGEST])[:LONGEST])


def clean(text: str) -> str:
    """Compatibility-normalised text (full-width and circled digits become digits), invisible characters removed."""
    if not text.isascii():
        text = _few_marks(text).translate(_CIRCLED)
        text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    return _INVISIBLE.sub("", _NEWLINE.sub("\n", text)).replace("`", "'")


def without_quotes(text: str) -> str:
    """The lines that the customer wrote in this reply, in order, joined by newlines."""
    kept: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if _REST_IS_OLD.match(line) or _begins_outlook_quote(lines, at):
            break
        header = _wrote_header(lines, at)
        if header:
            following = next((later for later in lines[at + header : at + header + 4] if later.strip()), "")
            # Without ">" nobody can tell where the quotation ends, and replies of that kind stand above it.
            if not _QUOTED_LINE.match(following):
                break
            at += header
            continue
        if not _QUOTED_LINE.match(line) and not _SENT_FROM.match(line):
            kept.append(line)
        at += 1
    return "\n".join(kept).strip()


def without_signature(text: str) -> str:
    """The text without its last closing ("Kind regards,") and the names, titles and addresses in the lines under it."""
    lines = text.split("\n")
    filled = [at for at, line in enumerate(lines) if line.strip()]
    for at in filled[: -_LONGEST_SIGNATURE - 1 : -1]:
        closing = _CLOSING.fullmatch(lines[at][:100])
        if closing and filled[0] < at < filled[-1] and _is_name(closing[1] or ""):
            return "\n".join(lines[:at]).rstrip()
        if not _is_name(lines[at]):
            break
    return text


def _is_name(line: str) -> bool:
    """Whether a line of a signature has nothing but names, titles, addresses and numbers."""
    words = [word.strip(",.'") for word in line.split()]
    if len(words) > _MOST_WORDS_OF_A_NAME or "!" in line or "?" in line or len(line) > _LONGEST_LINE_OF_A_SIGNATURE:
        return False
    names = (word[:1].isupper() or word in _IN_NAMES or not word.isalpha() for word in words)
    return all(names) and not any(word.lower() in _NOT_IN_NAMES for word in words)


def _begins_outlook_quote(lines: list[str], at: int) -> bool:
    return bool(_FROM.match(lines[at])) and any(_MAIL_HEADER.match(line) for line in lines[at + 1 : at + 3])


def _wrote_header(lines: list[str], at: int) -> int:
    """How many lines the header `On … wrote:` takes at this place, 0 when there is none."""
    if _WROTE.match(lines[at][:700]):
        return 1
    if _WROTE_BEGINS.match(lines[at][:100]):
        for count in (2, 3):
            if _WROTE.match(" ".join(lines[at : at + count])[:700]):
                return count
    return 0


def _few_marks(text: str) -> str:
    # Normalising sorts runs of combining marks, which takes quadratic time on a run made to hurt.
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
