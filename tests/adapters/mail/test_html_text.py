"""HTML of mails as plain text."""

from __future__ import annotations

import pytest

from adapters.mail.html_text import LONGEST, text_of
from tests.effort import effort


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo\nlines"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<ol><li>x</li><li>y<ul><li>z</ul></ol>", "1. x\n2. y\n\n- z"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('see <a href="https://x.example">the photo</a>', "see the photo"),
        ("3 &lt; 5 &amp; 5 > 3, x<3 &euro; &#8364; &nbsp;&#99999999999;", "3 < 5 & 5 > 3, x<3 € €  \ufffd"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<img alt="👍"><img alt="Company logo">', "👍"),
        ('<a title="a > b">link</a>', "link"),
        ("<style>p > a {}</style><title>t</title><script>if (a<b) x</script>y", "y"),
        ('<div style="display: none">preheader</div>y', "y"),
        ('<span style="mso-hide:all">pre</span><b hidden>no</b>y', "y"),
        ('<div style="max-height:0px;overflow:hidden">pre</div>y', "y"),
        ("<!--[if mso]><p>old</p><![endif]-->y<!--[if !mso]><!-->z<!--<![endif]-->", "yz"),
        ("open <b>never closed", "open never closed"),
        ("", ""),
    ],
)
def test_what_is_seen_is_the_text(source: str, text: str) -> None:
    assert text_of(source) == text


@pytest.mark.parametrize(
    "source",
    [
        'Mine<blockquote type="cite">theirs</blockquote>',
        'Mine<div class="gmail_quote"><div class="gmail_attr">On 20 Nov 2026 L wrote:</div>'
        '<blockquote class="gmail_quote">theirs<blockquote>older</blockquote></blockquote></div>',
        'Mine<hr><div id="divRplyFwdMsg">From: L</div><div>theirs</div>',
        'Mine<div id="x_divRplyFwdMsg">From: L</div>theirs',
        "<div>Mine</div><div>On 20 Nov 2026, at 10:30, L &lt;l@x.example&gt; wrote:</div><br>"
        "<blockquote>theirs</blockquote>",
        'Mine<div class="yahoo_quoted">On Friday L wrote: theirs</div>',
        'Mine<div class="moz-cite-prefix">On 20.11.26 L wrote:</div><blockquote type="cite">theirs</blockquote>',
        'Mine<div class="protonmail_quote">theirs</div>',
        'Mine<div name="quote" style="border-left:2px">theirs</div>',
        'Mine<div id="mail-editor-reference-message-container"><div>theirs</div></div>',
    ],
)
def test_what_the_mail_program_quoted_is_cut_off(source: str) -> None:
    assert text_of(source) == "Mine"


def test_an_answer_between_and_under_quotations_is_kept() -> None:
    source = (
        "<div>On 20 Nov 2026 L &lt;l@x.example&gt; wrote:</div><blockquote>one?</blockquote><p>Yes</p>"
        "<blockquote>two?</blockquote><p>No</p>"
    )
    assert text_of(source) == "Yes\n\nNo"


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        '<a b="',
        '<a b=">',
        "<!--",
        "<!",
        "<div>",
        "</",
        "<style>",
        "&#9",
        "<blockquote>",
        "<li>",
        "<b id='><p>",
    ],
)
def test_hostile_html_takes_bounded_time(unit: str) -> None:
    assert effort(lambda: text_of(unit * (LONGEST // len(unit) + 1))) < 400
