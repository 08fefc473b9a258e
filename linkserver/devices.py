"""Kinds of devices, and programs that are nobody's browser: messengers' previews, search engines, scanners, scripts.

Only used to count: what a robot does is noted as a robot's, never as a person's. It protects nothing; whoever lies
about the agent is held off by the birth date like everybody else.
"""

from __future__ import annotations

import re

from notifier.store.openings import OTHER, ROBOT

#: parts of `User-Agent`, in lower case, each with where its owner documents it or where it was seen
ROBOTS: dict[str, str] = {
    "whatsapp/": "WhatsApp link previews, made on the sender's phone: WhatsApp/2.x A|i|N|W",
    "telegrambot": "Telegram: TelegramBot (like TwitterBot)",
    "facebookexternalhit": "developers.facebook.com/docs/sharing/webmasters/web-crawlers; iMessage, LINE too",
    "facebookcatalog": "developers.facebook.com/docs/sharing/webmasters/web-crawlers",
    "meta-external": "developers.facebook.com/docs/sharing/webmasters/web-crawlers",
    "facebot": "iMessage on iOS: facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "google-": "developers.google.com/search/docs/crawling-indexing/google-special-case-crawlers; Google Messages too",
    "googleother": "developers.google.com/search/docs/crawling-indexing/google-common-crawlers",
    "mediapartners": "developers.google.com/search/docs/crawling-indexing/google-special-case-crawlers",
    "slack-imgproxy": "api.slack.com/robots; Slackbot-LinkExpanding ends in bot",
    "embedly": "embed.ly link previews",
    "iframely": "iframely.com link previews",
    "vkshare": "VK link previews",
    "yahoo! slurp": "Yahoo's search engine",
    "ia_archiver": "archive.org",
    "headlesschrome": "a browser without a screen: mail scanners, tests",
    "phantomjs": "a browser without a screen",
    "dalvik/": "Android's own downloader: apps that look at links, not browsers",
    "cfnetwork": "Apple's own downloader: apps that look at links, not Safari",
    "curl/": "a script",
    "wget/": "a script",
    "python": "a script: python-requests, Python-urllib, aiohttp",
    "go-http-client": "a script",
    "okhttp": "a program on Android or Java",
    "java/": "a script",
    "axios/": "a script",
    "node-fetch": "a script",
    "libwww-perl": "a script",
}
_LISTED = re.compile("|".join(re.escape(part) for part in ROBOTS))
#: a word that ends so: Googlebot, Applebot, Discordbot, BingPreview, SkypeUriPreview; but CUBOT makes phones
_NAMED = re.compile(r"(?<!\bcu)(?:bot|crawler|spider|scanner|preview)\b")


def is_robot(user_agent: str) -> bool:
    """Whether an agent says that it is no person's browser; every browser says something."""
    agent = user_agent.casefold()
    return not agent or _LISTED.search(agent) is not None or _NAMED.search(agent) is not None


def device_kind(user_agent: str) -> str:
    """The kind of device, as "who looked" shows it; nothing that tells one phone from another."""
    if is_robot(user_agent):
        return ROBOT
    agent = user_agent.casefold()
    if "ipad" in agent or "tablet" in agent:
        return "tablet"
    if any(word in agent for word in ("mobi", "android", "iphone", "opera mini", "kaios", "midp")):
        return "phone"
    return "computer" if "mozilla" in agent else OTHER
