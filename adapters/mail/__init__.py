"""Mail in: a message as a mail provider forwards it becomes one event of ours.

Touch it when mail of some program is read wrongly, or when providers send something new. `message.py` reads a mail
(`parts.py` its structure; `headers.py`, `charsets.py`, `flowed.py`, `html_text.py` and `body.py` its content),
`kinds.py` and `bounces.py` tell customers from machines, `events.py` says which event it is, `attachments.py` keeps
files, and `door.py` is all of it in one call.
"""

from adapters.mail.attachments import AttachmentStore
from adapters.mail.door import MailDoor
from adapters.mail.events import event_of
from adapters.mail.message import Mail, read_mail
from adapters.mail.parts import UnreadableMail
from adapters.mail.settings import AttachmentSettings, MailSettings

__all__ = [
    "AttachmentSettings",
    "AttachmentStore",
    "Mail",
    "MailDoor",
    "MailSettings",
    "UnreadableMail",
    "event_of",
    "read_mail",
]
