"""The Gateway protocol over Twilio."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from notifier.gateways import (
    BadWebhook,
    ErrorMeaning,
    FoundMessage,
    Inbound,
    InboundAnswer,
    Outcome,
    OutcomeClass,
    OutgoingChat,
    OutgoingSms,
    Receipt,
)
from notifier.gateways.twilio import errors, inbound, whatsapp
from notifier.gateways.twilio.outcomes import NoClearAnswer, TwilioFailure
from notifier.gateways.twilio.signature import is_genuine
from notifier.gateways.twilio.statuses import state_of

if TYPE_CHECKING:
    from notifier.gateways.twilio.client import Account, Taken, TwilioClient
    from notifier.gateways.twilio.line import Line

    Post = Callable[[], Coroutine[Any, Any, Taken]]

log = logging.getLogger(__name__)

#: Seconds that a message may wait in Twilio's own queue. SMS leave us until 20:00, so that a stuck queue lets nothing
#: out after 21:00, and never at 03:00; an hour is far longer than a queue that SENDER_RATE paces. What it drops comes
#: back as 30036, which is tried again. (Twilio allows 1 to 36000.)
VALIDITY_PERIOD_S = 3600


class TwilioGateway:
    """SMS by Twilio. Holds no connection before the first call, and survives a fork: each process has its own."""

    name = "twilio"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_tokens: tuple[str, ...],
        from_number: str | None,
        messaging_service_sid: str | None,
        api_base: str,
        public_url: str,
        timeout_s: float,
        concurrency: int,
        whatsapp_sender: whatsapp.WhatsApp | None = None,
    ) -> None:
        """Of the tokens, newest last, the newest speaks to Twilio and any may have signed a webhook. Raises ValueError
        unless there is a token and exactly one kind of sender."""
        if not auth_tokens:
            raise ValueError("auth_tokens: at least one")
        if bool(from_number) == bool(messaging_service_sid):
            raise ValueError("from_number, messaging_service_sid: exactly one of them")
        self._account_sid = account_sid
        self._auth_tokens = auth_tokens
        self._sender = {"from_": from_number} if from_number else {"messaging_service_sid": messaging_service_sid or ""}
        self._api_base = api_base
        self._public_url = public_url.rstrip("/")
        self._timeout_s = timeout_s
        self._concurrency = concurrency
        self._whatsapp = whatsapp_sender
        # by process id: after a fork the parent's line stays referenced and untouched, for closing it here would take
        # the parent's sockets out of the epoll set that both share
        self._lines: dict[int, Line] = {}

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        """Posts all of them concurrently, at most `concurrency` at a time, and answers in the same order."""
        if not messages:
            return []
        return self._line().call(lambda client: self._post_all(client, messages))

    def send_chat(self, messages: Sequence[OutgoingChat]) -> list[Outcome]:
        """As `send`, by WhatsApp. Without a sender of ours there, nothing is posted."""
        sender = self._whatsapp
        if sender is None:
            return [Outcome(OutcomeClass.SENDER_MISCONFIGURED) for _ in messages]
        if not messages:
            return []

        def post(client: TwilioClient, message: OutgoingChat) -> Coroutine[Any, Any, Taken]:
            return client.post_form(**whatsapp.form_of(sender, message, self._callback(message.attempt_reference)))

        return self._line().call(lambda client: self._all([partial(post, client, each) for each in messages]))

    def _callback(self, reference: str) -> str:
        return self._public_url + callback_path(reference)

    async def _post_all(self, client: TwilioClient, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        async def post(each: OutgoingSms) -> Taken:  # all of it where a fault costs one message's outcome
            return await client.post(each.to, each.text, self._callback(each.attempt_reference))

        return await self._all([partial(post, each) for each in messages])

    async def _all(self, posts: Sequence[Post]) -> list[Outcome]:
        reasons: Counter[str] = Counter()
        outcomes = await asyncio.gather(*(self._outcome(post, reasons) for post in posts))
        for reason, times in sorted(reasons.items()):
            log.warning("%d of %d messages not accepted: %s", times, len(posts), reason)
        return outcomes

    async def _outcome(self, post: Post, reasons: Counter[str]) -> Outcome:
        try:
            taken = await post()
            if taken.sid:
                return Outcome(OutcomeClass.ACCEPTED, provider_sid=taken.sid, http_status=taken.http_status)
            failure: TwilioFailure = NoClearAnswer("answer without a SID", taken.http_status)
        except TwilioFailure as caught:
            failure = caught
        except Exception as error:  # a fault of ours or the library's must not cost the outcomes of the others
            failure = NoClearAnswer(type(error).__name__)
        reasons[str(failure)] += 1
        return failure.outcome

    def look_up(self, to: str) -> list[FoundMessage]:
        """The newest messages to a number, newest first; not by DateSent, which unsent messages lack. Raises OSError
        (without the number) where Twilio cannot be asked."""
        return [_found(record) for record in self._line().call(lambda client: client.newest_to(to))]

    def read_receipt(self, attempt_reference: str, path: str, form: Mapping[str, str], signature: str) -> Receipt:
        """A status callback as a receipt. The signature covers our configured public address, whatever host the
        request named. Parameters that we do not know are allowed: Twilio adds some. Raises BadWebhook."""
        if urlsplit(path).path != callback_path(attempt_reference):
            raise BadWebhook("the address is not this attempt's")
        if not is_genuine(self._auth_tokens, self._public_url + path, form, signature):
            raise BadWebhook("the signature is not Twilio's")
        for name in ("MessageSid", "MessageStatus"):
            if not form.get(name):
                raise BadWebhook(f"{name} is missing")
        word = form["MessageStatus"]
        return Receipt(
            attempt_reference=attempt_reference,
            provider_sid=form["MessageSid"],
            state=state_of(word),
            provider_word=word,
            code=form.get("ErrorCode") or None,
            raw=json.dumps(dict(form), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def read_inbound(self, path: str, form: Mapping[str, str], signature: str) -> Inbound:
        """A message that somebody wrote to our sender. The signature covers our configured public address, as with
        status callbacks. Raises BadWebhook."""
        if urlsplit(path).path != inbound.PATH:
            raise BadWebhook("the address is not that of incoming messages")
        if not is_genuine(self._auth_tokens, self._public_url + path, form, signature):
            raise BadWebhook("the signature is not Twilio's")
        return inbound.read(form)

    def answer_inbound(self, text: str | None) -> InboundAnswer:
        """TwiML with one message, or none."""
        return inbound.answer(text)

    def waiting_receipts(self, limit: int) -> list[Receipt]:
        """None: Twilio calls us."""
        return []

    def explain(self, code: str) -> ErrorMeaning | None:
        """The meaning of a Twilio error code; None where our table lacks it."""
        return errors.explain(code)

    def warm(self) -> None:
        """Imports the client and builds it: one to two seconds, the first time in a process."""
        self._line().call(lambda client: client.warm())

    def close(self) -> None:
        """Lets go of this process's connections and thread. A later call opens new ones."""
        line = self._lines.pop(os.getpid(), None)
        if line is not None:
            line.close()

    def _line(self) -> Line:
        # here, since a process that only reads webhooks need not load Twilio's client and aiohttp (36 MB)
        from notifier.gateways.twilio.line import Line

        here = os.getpid()
        # setdefault is atomic; a lock could be inherited in its locked state
        return self._lines.get(here) or self._lines.setdefault(here, Line(self._account()))

    def _account(self) -> Account:
        from notifier.gateways.twilio.client import Account

        return Account(
            account_sid=self._account_sid,
            auth_token=self._auth_tokens[-1],
            sender=self._sender,
            api_base=self._api_base,
            timeout_s=self._timeout_s,
            concurrency=self._concurrency,
            validity_period_s=VALIDITY_PERIOD_S,
        )


def callback_path(attempt_reference: str) -> str:
    """Where Twilio reports on an attempt, below our public address."""
    return f"/twilio/status/{quote(attempt_reference, safe='')}"


def _found(record: Any) -> FoundMessage:
    created_at = record.date_created
    return FoundMessage(
        provider_sid=str(record.sid),
        state=state_of(str(record.status)),
        text=str(record.body or ""),
        code=str(record.error_code) if record.error_code else None,
        created_at=created_at if isinstance(created_at, datetime) else None,
    )
