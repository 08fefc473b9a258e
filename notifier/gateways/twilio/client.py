"""Twilio's official client over connections of our own.

twilio's AsyncTwilioHttpClient is not used: it ignores its time-out, keeps aiohttp's cap of 100 connections, writes
the address (with `To=+62...`) to its logger, and keeps the last request in memory.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifier.gateways.twilio.outcomes import NoClearAnswer, NotConnected, Refused, TwilioFailure, retry_after_s

#: How many of the newest messages to a number are read: more than a person gets in the days that an answer is open.
NEWEST = 20
#: Set, though empty: Twilio's client would fall back to the process's environment, where they rewrite the host name.
_NO_ENVIRONMENT = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, TwilioException)
_CODE = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose messages, from whom, over which address. Times in seconds."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: Mapping[str, str]  #: `from_` or `messaging_service_sid`, as the client names them
    api_base: str
    timeout_s: float
    concurrency: int
    validity_period_s: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a 2xx answer says; no SID where it does not say it."""

    http_status: int
    sid: str | None


class TwilioClient:
    """Posts and lists messages. Lives on one event loop. Raises TwilioFailure alone."""

    def __init__(self, account: Account, http: PooledHttpClient) -> None:
        self._account = account
        self._http = http
        self._slots = asyncio.Semaphore(account.concurrency)
        self._client = Client(
            account.account_sid, account.auth_token, http_client=http, environment=dict(_NO_ENVIRONMENT)
        )
        self._client.api.base_url = account.api_base

    @classmethod
    async def open(cls, account: Account) -> TwilioClient:
        """Must run on the loop that it is to live on."""
        return cls(account, PooledHttpClient(account.timeout_s, account.concurrency))

    async def post(self, to: str, text: str, callback: str) -> Taken:
        """One SMS. Waits for a free connection as long as it takes: the time-out starts with ours."""
        return await self.post_form(
            to=to,
            body=text,
            status_callback=callback,
            validity_period=self._account.validity_period_s,
            smart_encoded=False,  # the text goes out as it was counted
            **self._account.sender,
        )

    async def post_form(self, **form: Any) -> Taken:
        """One message of any kind, in the names of the library. Waits for a free connection as `post` does."""
        async with self._slots:
            try:
                answer = await self._client.messages.create_with_http_info_async(**form)
                sid = answer.data.sid
                return Taken(answer.status_code, sid if isinstance(sid, str) and sid else None)
            except _UNREADABLE as error:
                reason = type(error).__name__
        # outside the handler: the library's exceptions hold the text, and would hang on as __context__
        raise NoClearAnswer(f"answer cannot be read ({reason})")

    async def newest_to(self, to: str) -> list[Any]:
        """The newest message records to a number: one page, without following addresses that the answer names."""
        async with self._slots:
            try:
                page = await self._client.messages.page_async(to=to, page_size=NEWEST)
                return list(page)[:NEWEST]
            except _UNREADABLE as error:
                reason = type(error).__name__
        raise NoClearAnswer(f"list cannot be read ({reason})")

    async def warm(self) -> None:
        """Loads the part of the library that messages need; posts nothing."""
        _ = self._client.messages

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()


class PooledHttpClient(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no type information
    """Connections as many as may be in flight, time-outs that apply, no redirect, no proxy, no cookie, no log line."""

    def __init__(self, timeout_s: float, concurrency: int) -> None:
        super().__init__(logging.getLogger(__name__), True, timeout_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency),
            # `connect` holds DNS, TCP and TLS, `sock_read` each wait for bytes; `total` ends an answer that trickles
            timeout=aiohttp.ClientTimeout(total=2 * timeout_s, connect=timeout_s, sock_read=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request; never a second try, since a message has no idempotency key at Twilio.

        Raises TwilioFailure, also for an answer that is not 2xx: the library's exception would carry what Twilio says
        about the number, and not Retry-After.
        """
        failure: TwilioFailure
        try:
            async with self._session.request(
                method,
                uri,
                params={name: str(value) for name, value in (params or {}).items()},
                data=urlencode(data, doseq=True).encode() if data else None,
                headers={**(headers or {}), **_authorization(auth)},
                allow_redirects=False,
            ) as answer:
                text = await _text_of(answer)
                content = _object_in(text)
                if not 200 <= answer.status < 300:
                    failure = Refused(answer.status, _code_in(content), retry_after_s(answer.headers))
                elif content is None:
                    failure = NoClearAnswer("answer is not a JSON object", answer.status)
                else:
                    return Response(answer.status, text, answer.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            failure = NotConnected(type(error).__name__)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            failure = NoClearAnswer(type(error).__name__)
        # outside the handler: aiohttp's exceptions hold the address, with the number in it
        raise failure

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}


async def _text_of(answer: aiohttp.ClientResponse) -> str:
    """The body; empty where it breaks off, since the status alone already tells a refusal from a 2xx."""
    try:
        return (await answer.read()).decode(errors="replace")
    except (aiohttp.ClientError, OSError):
        return ""


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _code_in(content: Mapping[str, Any] | None) -> str | None:
    """Twilio's error code in the body of a refusal: digits, so that nothing personal can hide in it."""
    code = str((content or {}).get("code"))
    return code if _CODE.fullmatch(code) else None
