"""The chat: one conversation engine, whatever it is reached through (WhatsApp, the catcher's window).

receive    a message came: sealed, kept once, and a worker will read it
work       a worker reads what waits, and writes new states and replies in one transaction
dialogue   the steps as data and pure functions: (state, what was said) -> (state, what is said back, a wish)
wishes     what a step may wish from other rooms, and how each is granted
outbox     replies leave: the attempt is committed before its bytes, an unknown outcome is never sent again
files      `/m/<token>`: the PDF for the provider to fetch
"""
