"""Mail by SMTP: a conversation a release, by the ids that mail has for that (RFC 5322, 3.6.4)."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from glidepath.errors import MessageError
from glidepath.handover.posting import GRACE_S, within
from glidepath.messages.message import Message
from glidepath.messages.port import Carrier
from glidepath.policy.messages import EmailChannel


@dataclass(frozen=True)
class Server:
    """A mail server.

    Attributes:
        host, port: Where it is.
        login, password: Empty for one that asks for none.
        tls: `wrapped` from the first byte on, `started` by STARTTLS, or `none`.
    """

    host: str
    port: int
    login: str = ""
    password: str = ""
    tls: str = "started"


class Mail(Carrier):
    """Sends mail. A mail that is sent twice has the same id, and is shown once."""

    def __init__(self, channel: EmailChannel, where: Callable[[], Server]) -> None:
        self._channel, self._where = channel, where

    def send(self, message: Message, thread: str) -> str:
        """See `Carrier.send`."""
        mail = self.written(message)
        try:
            within(self._channel.timeout * 2 + GRACE_S, lambda: self._deliver(mail))
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            code = _code(error)
            raise MessageError(f"the mail server answered {code}", 400 <= code < 500) from error
        except Exception as error:  # of the connection, of TLS, of time: names of classes have no secrets
            raise MessageError(f"the mail server took it not: {type(error).__name__}") from error
        return thread

    def written(self, message: Message) -> EmailMessage:
        """The mail: the verdict first, in its subject, too; by its references all of a release are one conversation."""
        data = message.data
        mail = EmailMessage()
        mail["From"], mail["To"] = self._channel.sender, ", ".join(self._channel.addresses)
        versions = f"{data['stable']} -> {data['canary']}" if data["stable"] else data["canary"]
        mail["Subject"] = f"{data['state']}: {data['service']} {versions}".strip()
        mail["Date"] = formatdate(message.news.at)
        mail["Message-ID"] = _id(f"{message.release}:{message.news.key}")
        mail["References"] = mail["In-Reply-To"] = _id(message.release)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(
            "\n\n".join([message.title, *message.lines, *([message.mention] if message.mention else [])]) + "\n"
        )
        return mail

    def _deliver(self, mail: EmailMessage) -> None:
        server, timeout = self._where(), self._channel.timeout
        secure = ssl.create_default_context()
        opened = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=secure)
            if server.tls == "wrapped"
            else smtplib.SMTP(server.host, server.port, timeout=timeout)
        )
        try:
            if server.tls == "started":
                opened.starttls(context=secure)
            if server.login:
                opened.login(server.login, server.password)
            opened.send_message(mail)
        finally:  # what is said to the farewell changes nothing
            with suppress(OSError, smtplib.SMTPException):
                opened.quit()
            opened.close()


def _code(error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> int:
    """What was answered; of several refused recipients the code that may pass least."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    return max(code for code, _ in error.recipients.values())


def _id(of: str) -> str:
    return f"<{hashlib.sha256(of.encode()).hexdigest()[:32]}@glidepath>"
