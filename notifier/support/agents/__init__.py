"""The agents' desk: calls to 119 and letters by e-mail, worked off by several people at once.

    queue.py      what waits, who has what: claim, hand over, give back, note, close
    seen.py       one case with its letters, steps, checks and doubles
    callers.py    three facts before anything is said
    merging.py    two cases about one complaint become one, and two again
    replies.py    an answer by e-mail or SMS
    blocks.py     ready-made texts: ours, and the programme's own
    calls.py      a call becomes a case
    causes.py     what cases are about, by facility

An e-mail proves nobody's identity, and a voice on the telephone proves it by three facts alone. No page of this room
shows an agent more of a person than the ordinary pages do; it says right or wrong.
"""
