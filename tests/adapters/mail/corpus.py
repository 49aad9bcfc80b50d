"""Mail as programs and servers send it: the shapes are theirs, the words are ours."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.mail import Mail, MailSettings, read_mail
from aftersales.message_ids import message_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASE = "return-escalation/A-1001"
LETTER = message_id(CASE, "k-1", "mail.example.com")


def raw(text: str, *, charset: str = "utf-8") -> bytes:
    """A mail from its text, with the line ends of mail."""
    return text.lstrip("\n").replace("\n", "\r\n").encode(charset)


def read(content: bytes | str, **settings: object) -> Mail:
    """Read a mail of the shop `lumen` that came in at NOW."""
    mail = raw(content) if isinstance(content, str) else content
    return read_mail(mail, shop="lumen", received_at=NOW, settings=MailSettings.model_validate(settings))


HEAD = """From: Ada Reyes <Ada@Example.com>
To: aftersales@mail.example.com
Subject: Re: Your return of order A-1001
Message-ID: <m-1@example.com>
Date: Fri, 20 Nov 2026 11:30:00 +0000
MIME-Version: 1.0
"""

GMAIL = f"""
Return-Path: <ada@example.com>
MIME-Version: 1.0
References: <older@example.com> {LETTER}
In-Reply-To: {LETTER}
From: Ada Reyes <ada@example.com>
Date: Fri, 20 Nov 2026 12:31:07 +0100
Message-ID: <CAF+1=abc_XYZ@mail.gmail.com>
Subject: Re: Your return of order A-1001
To: Lumen Home <aftersales@mail.example.com>
Content-Type: multipart/alternative; boundary="000000000000a1b2c3"

--000000000000a1b2c3
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

Yes, that=E2=80=99s fine for me.

On Fri, Nov 20, 2026 at 10:30=E2=80=AFAM Lumen Home <aftersales@mail.example.co=
m> wrote:

> Would you keep it for 20 % less?
> 1. Accept

--000000000000a1b2c3
Content-Type: text/html; charset="UTF-8"

<div dir="ltr">Yes, that&#39;s fine for me.</div><br><div class="gmail_quote"><div dir="ltr"
 class="gmail_attr">On Fri, Nov 20, 2026 Lumen Home wrote:<br></div><blockquote class="gmail_quote">
Would you keep it?</blockquote></div>

--000000000000a1b2c3--
"""

OUTLOOK = f"""
From: =?iso-8859-1?Q?J=FCrgen_M=FCller?= <Juergen.Mueller@example.de>
To: Lumen Home <aftersales@mail.example.com>
Subject: AW: Ihre Rückgabe
Thread-Topic: Ihre Rückgabe
Date: Fri, 20 Nov 2026 11:31:07 +0000
Message-ID: <DB9PR01MB1234@DB9PR01MB1234.eurprd01.prod.outlook.com>
References: {LETTER}
In-Reply-To: {LETTER}
Content-Language: de-DE
Content-Type: text/html; charset="Windows-1252"
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0

<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal {{margin:0cm}}</style></head>
<body lang="DE"><!--[if gte mso 9]><xml><o:x v="1"/></xml><![endif]-->
<div><p class="MsoNormal">Nein, ich möchte die Ware<o:p></o:p> zurückgeben – für 9,90&nbsp;€.</p></div>
<div id="appendonsend"></div><hr style="display:inline-block;width:98%">
<div id="divRplyFwdMsg"><b>Von:</b> Lumen Home<br><b>Gesendet:</b> Freitag<br><b>Betreff:</b> Ihre Rückgabe</div>
<div>Ja, ich behalte die Ware.</div></body></html>
"""

APPLE = f"""
From: Marie Dupont <marie@example.fr>
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Mime-Version: 1.0 (1.0)
Subject: =?utf-8?Q?Re=3A_Votre_commande_?= =?utf-8?Q?re=C3=A7ue?=
Date: Fri, 20 Nov 2026 12:31:07 +0100
Message-Id: <6F1C-22@example.fr>
References: {LETTER}
In-Reply-To: {LETTER}
To: aftersales@mail.example.com
X-Mailer: iPhone Mail (23A341)

<html><body dir=3D"auto">Oui, d=E2=80=99accord.<br id=3D"lineBreakAtBeginningOfMessage"><div dir=3D"ltr">Envoy=C3=A9 de
 mon iPhone</div><div dir=3D"ltr"><br><blockquote type=3D"cite">Le 20 nov. 2026 =C3=A0 10:30, Lumen a =C3=A9crit=C2=A0=
:<br></blockquote></div><blockquote type=3D"cite"><div>Non merci</div></blockquote></body></html>
"""

YAHOO = f"""
From: Ana Ruiz <ana@yahoo.example>
Subject: Re: Su pedido
Message-ID: <1234.5678@mail.yahoo.example>
In-Reply-To: {LETTER}
Content-Type: text/html; charset=UTF-8
Date: Fri, 20 Nov 2026 11:31:07 +0000 (UTC)

<html><body><div class="ydp1yahoo-style-wrap"><div dir="ltr">Sí, lo acepto.</div><ul><li>uno</li><li>dos</li></ul></div>
<div id="ydp2yahoo_quoted_42" class="ydp2yahoo_quoted"><div>El viernes, 20 de noviembre, Lumen escribió:</div>
<div>No, gracias</div></div></body></html>
"""

QQ = raw(
    f"""
From: "=?gb18030?B?zfXQocP3?=" <12345@qq.example>
To: "=?gb18030?B?THVtZW4=?=" <aftersales@mail.example.com>
Subject: =?gb18030?B?u9i4tKO6xPq1xLaptaU=?=
In-Reply-To: {LETTER}
Mime-Version: 1.0
Content-Type: multipart/alternative; boundary="----=_NextPart_6"
Date: Fri, 20 Nov 2026 19:31:07 +0800
X-Priority: 3
Message-ID: <tencent_ABC123@qq.example>

This is a multi-part message in MIME format.

------=_NextPart_6
Content-Type: text/plain; charset="gb2312"
Content-Transfer-Encoding: 8bit

可以，就这样吧。镕



------------------&nbsp;原始邮件&nbsp;------------------
发件人: "Lumen"
不行
------=_NextPart_6
Content-Type: text/html; charset="gb2312"
Content-Transfer-Encoding: 8bit

<div>可以，就这样吧。</div>
------=_NextPart_6--
""",
    charset="gb18030",
)

NETEASE = f"""
From: =?GBK?B?wO7A8g==?= <li@163.example>
Subject: Re:order
Message-ID: <4a5b.6c7d@163.example>
References: {LETTER}
Content-Type: text/html; charset=UTF-8

<div style="line-height:1.7"><div>麻烦退款，谢谢！</div></div><br/>
<pre>At 2026-11-20 10:30:00, "Lumen" &lt;a@b.c&gt; wrote:</pre>
<blockquote id="isReplyContent" style="PADDING-LEFT: 1ex"><div>请问可以吗</div></blockquote>
"""

CARRIER = (
    b"From: taro@docomo.example\r\nSubject: =?ISO-2022-JP?B?UmU6IBskQiQqTGQkJDlnJG8kOxsoQg==?=\r\n"
    b"Message-ID: <200@docomo.example>\r\nIn-Reply-To: " + LETTER.encode() + b"\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    b"\x1b$B-!$G$*4j$$$7$^$9!#\x1b(B\r\n"
)
"""It chooses with a circled number of NEC's row, which the charset that is named does not have."""


def bounce(status: str, *, first: str = "Your mail could not be delivered.", returned: str = "", head: str = "") -> str:
    """A delivery status notification; `returned` is the part with what was sent."""
    return f"""
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: aftersales@mail.example.com
Auto-Submitted: auto-replied
{head}Message-ID: <b-1@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="AAA/mx"

This is a MIME-encapsulated message.

--AAA/mx
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

{first}

--AAA/mx
Content-Description: Delivery report
Content-Type: message/delivery-status

{status}

--AAA/mx
{returned}

--AAA/mx--
"""


HEADERS_BACK = f"""Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: Lumen Home <aftersales@mail.example.com>
To: ada@example.com
Subject: Your return
Message-ID: {LETTER}
X-Aftersales-Case: {CASE}"""
MAIL_BACK = f"""Content-Type: message/rfc822

From: Lumen Home <aftersales@mail.example.com>
To: ada@example.com
Message-ID:
 {LETTER}
X-Aftersales-Case: {CASE}
Content-Type: text/plain

Your return …"""

POSTFIX = bounce(
    """Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4ABC
Arrival-Date: Fri, 20 Nov 2026 10:30:00 +0000 (UTC)

Final-Recipient: rfc822; Ada@example.com
Original-Recipient: rfc822;ada@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected:
    User unknown""",
    returned=HEADERS_BACK,
)
EXCHANGE = bounce(
    """Reporting-MTA: dns;DB9PR01.eurprd01.prod.outlook.com

Final-recipient: RFC822;ada@example.com
Action: failed
Status: 5.2.2
Diagnostic-code: smtp;554 5.2.2 mailbox full;
X-Display-Name: Ada""",
    returned=MAIL_BACK,
    head="X-MS-Exchange-Message-Is-Ndr:\n",
)
GOOGLE = bounce(
    """Reporting-MTA: dns; googlemail.com
Arrival-Date: Fri, 20 Nov 2026 02:30:00 -0800 (PST)

Final-Recipient: rfc822; ada@example.com
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp; The recipient server did not accept our requests to connect.
Will-Retry-Until: Mon, 23 Nov 2026 02:30:00 -0800 (PST)""",
    returned=MAIL_BACK,
    head="X-Failed-Recipients: ada@example.com\n",
)
SES = bounce(
    """Reporting-MTA: dsn; a8-31.smtp-out.amazonses.example

Action: failed
Final-Recipient: rfc822; ada@example.com
Diagnostic-Code: smtp; 550 5.4.300 Message expired
Status: 4.4.7""",
    returned=f"""Content-Type: message/rfc822

From: Lumen Home <aftersales@mail.example.com>
Message-ID: <0100019@email.amazonses.example>
X-Aftersales-Case: {CASE}

Your return""",
)
EXIM = f"""
Return-Path: <>
From: Mail Delivery System <Mailer-Daemon@host.example.net>
To: aftersales@mail.example.com
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abc-0001@host.example.net>
X-Failed-Recipients: ada@example.com
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.com
    host mail.example.com [203.0.113.25]
    SMTP error from remote mail server after RCPT TO:<ada@example.com>:
    550 No such user here

------ This is a copy of the message, including all the headers. ------

Message-ID: {LETTER}
Subject: Your return
"""
QMAIL = f"""
Return-Path: <>
From: MAILER-DAEMON@relay.example.org
To: aftersales@mail.example.com
Subject: failure notice

Hi. This is the qmail-send program at relay.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.com>:
203.0.113.9 does not like recipient. (#5.1.1)

--- Below this line is a copy of the message.

Message-ID: {LETTER}
"""
WAITING = f"""
Return-Path: <>
From: Mail Delivery System <Mailer-Daemon@host.example.net>
Subject: Warning: message 1abc delayed 24 hours
Auto-Submitted: auto-replied

This message has not yet been delivered to ada@example.com.
No action is required on your part; delivery attempts will continue.

Message-ID: {LETTER}
"""
EVERY = {
    "gmail": raw(GMAIL),
    "outlook": raw(OUTLOOK, charset="cp1252"),
    "apple": raw(APPLE),
    "yahoo": raw(YAHOO),
    "qq": QQ,
    "netease": raw(NETEASE),
    "carrier": CARRIER,
    "postfix": raw(POSTFIX),
    "exchange": raw(EXCHANGE),
    "google": raw(GOOGLE),
    "ses": raw(SES),
    "exim": raw(EXIM),
    "qmail": raw(QMAIL),
    "waiting": raw(WAITING),
}
