"""Reports of mail servers as they come, with the Message-ID of what came back put in."""

from base64 import encodebytes
from html import escape

_POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.retailer.example (Mail Delivery System)
To: meters@retailer.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-Id: <20261115090001.5C0A@mx.retailer.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="5C0A.1700000000/mx.retailer.example"

This is a MIME-encapsulated message.

--5C0A.1700000000/mx.retailer.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.retailer.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<buh@primer.example>: host mx.primer.example[192.0.2.7] said: 550 5.1.1
    <buh@primer.example>: Recipient address rejected: User unknown (in reply to
    RCPT TO command)

--5C0A.1700000000/mx.retailer.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.retailer.example
X-Postfix-Queue-ID: 5C0A
Arrival-Date: Sun, 15 Nov 2026 12:00:00 +0300 (MSK)

Final-Recipient: rfc822; buh@primer.example
Original-Recipient: rfc822;buh@primer.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.primer.example
Diagnostic-Code: smtp; 550 5.1.1 <buh@primer.example>: Recipient address
    rejected: User unknown

--5C0A.1700000000/mx.retailer.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: meters@retailer.example
To: buh@primer.example
Subject: Re: readings
Message-ID: {id}
References: <1@primer.example>

The reply.
--5C0A.1700000000/mx.retailer.example--
"""

_DELAYED = (
    _POSTFIX.replace("Undelivered Mail Returned to Sender", "Delayed Mail (still being retried)")
    .replace("Action: failed", "Action: delayed")
    .replace("Status: 5.1.1", "Status: 4.4.1")
    .replace(
        "Diagnostic-Code: smtp; 550 5.1.1 <buh@primer.example>: Recipient address\n"
        "    rejected: User unknown",
        "Diagnostic-Code: X-Postfix; connect to mx.primer.example: Connection timed out",
    )
)

_EXIM = """\
Return-path: <>
X-Failed-Recipients: buh@primer.example
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.retailer.example>
To: meters@retailer.example
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1tBxyz-0001@mx.retailer.example>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  buh@primer.example
    host mx.primer.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<buh@primer.example>:
    550 No such user here

------ This is a copy of the message, including all the headers. ------

Return-path: <meters@retailer.example>
From: meters@retailer.example
To: buh@primer.example
Subject: Re: readings
Message-ID: {id}

The reply.
"""

_EXIM_WARNING = """\
Return-path: <>
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.retailer.example>
To: meters@retailer.example
Subject: Warning: message 1tBxyz delayed 24 hours

This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.retailer.example.

The message identifier is:     1tBxyz-0001
The subject of the message is: Re: readings
Message-ID: {id}

  buh@primer.example
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated.
"""

_EXCHANGE = """\
Return-Path: <>
From: <postmaster@primer.example>
To: <meters@retailer.example>
Subject: =?utf-8?B?0J3QtSDRg9C00LDQtdGC0YHRjyDQtNC+0YHRgtCw0LLQuNGC0Yw6IFJlOiByZWFkaW5ncw==?=
In-Reply-To: {id}
References: {id}
Message-ID: <0b1c@mail.primer.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="e1b2-exchange"
X-MS-Exchange-Message-Is-Ndr:

--e1b2-exchange
Content-Type: multipart/alternative; differences=Content-Type; boundary="inner"

--inner
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

0J3QtSDRg9C00LDQu9C+0YHRjCDQtNC+0YHRgtCw0LLQuNGC0Ywg0YHQvtC+0LHRidC10L3QuNC1Lg==

--inner--

--e1b2-exchange
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.primer.example
Received-From-MTA: dns;mx.retailer.example
Arrival-Date: Sun, 15 Nov 2026 09:00:00 +0000

Final-Recipient: rfc822;buh@primer.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceeded

--e1b2-exchange
Content-Type: message/rfc822

Received: from mx.retailer.example by mail.primer.example
From: <meters@retailer.example>
To: <buh@primer.example>
Subject: Re: readings
Message-ID: {id}
MIME-Version: 1.0

--e1b2-exchange--
"""

_YANDEX = """\
Return-Path: <>
From: mailer-daemon@yandex.ru
To: meters@retailer.example
Subject: =?utf-8?B?0J3QtdC00L7RgdGC0LDQstC70LXQvdC90L7QtSDRgdC+0L7QsdGJ0LXQvdC40LU=?=
Auto-Submitted: auto-replied
MIME-Version: 1.0
Message-Id: <20261115120000.1@mail-nwsmtp.yandex.net>
Content-Type: multipart/report; report-type=delivery-status; boundary="yandex"

--yandex
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

Это письмо отправлено почтовым сервером yandex.ru.
К сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может быть
отправлено одному или нескольким адресатам.

<buh@primer.example>: host mxs.primer.example[192.0.2.9] said: 550 5.7.1 Message rejected

--yandex
Content-Type: message/delivery-status

Reporting-MTA: dns; forward500.mail.yandex.net
X-Yandex-Queue-ID: A1

Final-Recipient: rfc822; buh@primer.example
Original-Recipient: rfc822;buh@primer.example
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550 5.7.1 Message rejected under suspicion of SPAM

--yandex
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers; charset=us-ascii

Received: from mx.retailer.example
From: meters@retailer.example
Message-ID: {id}
Subject: Re: readings

--yandex--
"""

_MAIL_RU = """\
Return-path: <>
From: mailer-daemon@corp.mail.ru
To: meters@retailer.example
Subject: Mail failure.
X-Failed-Recipients: buh@primer.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="mailru"

--mailru
Content-Type: text/plain; charset=koi8-r
Content-Transfer-Encoding: 8bit

Данное письмо создано автоматически сервером Mail.Ru.

К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

**********************
buh@primer.example SMTP error from remote mail server after RCPT TO:<buh@primer.example>:
550 5.1.1 Message was not accepted -- invalid mailbox.

--mailru
Content-Type: message/rfc822
Content-Transfer-Encoding: base64

{returned}
--mailru--
"""

_EXIM_COPY = _EXIM.replace("550 No such user here", "Unrouteable address").replace(
    "Return-path: <meters@retailer.example>\n",
    """\
Return-path: <meters@retailer.example>
Received: from app.retailer.example ([192.0.2.1])
\tby mx.retailer.example with esmtpsa (TLS1.3) (Exim 4.94.2)
\tid 1tBxyz-0001; Sun, 15 Nov 2026 12:00:00 +0300
Subject: Delivery is delayed
""",
)

_EXCHANGE_ALONE = (
    _EXCHANGE[: _EXCHANGE.index("--e1b2-exchange\nContent-Type: message/rfc822")]
    + "--e1b2-exchange--\n"
)

_QMAIL = """\
Return-Path: <>
Received: (qmail 1234 invoked for bounce); 15 Nov 2026 09:00:00 -0000
From: MAILER-DAEMON@mx.primer.example
To: meters@retailer.example
Subject: failure notice

Hi. This is the qmail-send program at mx.primer.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<buh@primer.example>:
Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
I'm not going to try again; this message has been in the queue too long.

--- Below this line is a copy of the message.

Return-Path: <meters@retailer.example>
Received: (qmail 1233 invoked from network); 15 Nov 2026 09:00:00 -0000
From: meters@retailer.example
Message-ID:
 {id}
Subject: Re: readings

The reply.
"""

_COMMUNIGATE = """\
Return-Path: <>
From: <MAILER-DAEMON@primer.example>
To: <meters@retailer.example>
Subject: Undeliverable mail: Re: readings
MIME-Version: 1.0
Content-Type: multipart/report; boundary="_===1===primer"; report-type=delivery-status

--_===1===primer
Content-Type: text/plain; charset="utf-8"

Failed to deliver to '<buh@primer.example>'
LOCAL module(account buh) reports:
 account is full (quota exceeded)

--_===1===primer
Content-Type: message/global-delivery-status

Reporting-MTA: dns; primer.example

Original-Recipient: utf-8;<бухгалтер@пример.рф>
Final-Recipient: LOCAL;<buh>
Action: failed
Status: 5.2.2

--_===1===primer
Content-Type: message/global-headers

Message-ID: {id}

--_===1===primer--
"""

_PAGE = """\
Return-Path: <>
From: Mail Delivery System <postmaster@mail.primer.example>
To: meters@retailer.example
Subject: Undeliverable: Re: readings
Content-Type: text/html; charset=utf-8

<html><body><p>Ваше сообщение не доставлено: 550 5.1.1 нет такого ящика</p>
<table><tr><td>Идентификатор сообщения:</td><td>{escaped}</td></tr></table></body></html>
"""

_RUSSIAN_DELAY = """\
Return-Path: <>
From: MAILER-DAEMON@primer.example
To: meters@retailer.example
Subject: Сообщение пока не доставлено
Content-Type: text/plain; charset=utf-8

Ваше письмо с Message-ID: {id} пока не доставлено адресату buh@primer.example.
Попытки доставки будут продолжены в течение 5 дней: timed out.
"""

_MINE = "From: meters@retailer.example\nMessage-ID: {id}\nSubject: Re: readings\n\nThe reply.\n"

REPORTS = {
    "postfix": (_POSTFIX, "5.1.1", "User unknown"),
    "exim": (_EXIM, "550", "No such user here"),
    "exchange": (_EXCHANGE, "5.2.2", "mailbox full"),
    "yandex": (_YANDEX, "5.7.1", "suspicion of SPAM"),
    "mail.ru": (_MAIL_RU, "5.1.1", "invalid mailbox"),
    "exim, a copy below": (_EXIM_COPY, "", "Unrouteable address"),
    "exchange, no copy": (_EXCHANGE_ALONE, "5.2.2", "mailbox full"),
    "qmail, given up": (_QMAIL, "4.4.1", "SMTP connection"),
    "communigate": (_COMMUNIGATE, "5.2.2", "account is full"),
    "a page": (_PAGE, "5.1.1", "нет такого ящика"),
}
"""For good: the report, its code, and a part of what is told."""

DELAYS = {"postfix": _DELAYED, "exim": _EXIM_WARNING, "in Russian": _RUSSIAN_DELAY}

_VACATION = """\
Return-Path: <>
From: Postmaster of Primer <buh@primer.example>
To: meters@retailer.example
Subject: Automatic reply: readings
In-Reply-To: {id}
References: {id}
Auto-Submitted: auto-replied

I am away until Monday. Original: Message-ID: {id}
"""

_READ_RECEIPT = """\
Return-Path: <>
From: buh@primer.example
To: meters@retailer.example
Subject: Read: readings
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn"

--mdn
Content-Type: text/plain

Your message was read. 550 is the number of my office.

--mdn
Content-Type: message/disposition-notification

Final-Recipient: rfc822;buh@primer.example
Original-Message-ID: {id}
Disposition: automatic-action/MDN-sent-automatically; displayed

--mdn--
"""

_DELIVERED = _POSTFIX.replace("Action: failed", "Action: relayed").replace("5.1.1", "2.0.0")

_COMPLAINT = _READ_RECEIPT.replace("buh@", "postmaster@", 1).replace(
    "disposition-notification", "feedback-report"
)

NO_BOUNCES = {
    "vacation": _VACATION,
    "read receipt": _READ_RECEIPT,
    "delivery": _DELIVERED,
    "complaint": _COMPLAINT,
}


def report(text: str, message_id: str) -> bytes:
    """A report about the letter with that Message-ID, as its bytes."""
    returned = encodebytes(_MINE.replace("{id}", message_id).encode()).decode()
    filled = text.replace("{id}", message_id).replace("{returned}", returned)
    filled = filled.replace("{escaped}", escape(message_id))
    charset = "koi8-r" if "koi8-r" in text else "utf-8"
    return filled.replace("\n", "\r\n").encode(charset)
