"""The door `cases`: "my certificate has not come".

    door.py      opens it
    asker.py     the cookie between its pages: the number, whether a code proved it, who proved to be whom
    start.py     /kasus, /kasus/kode: the number, the code to it
    causes.py    /kasus/siapa, /kasus/sebab: who it is about, what we found, and what a tap mends
    reports.py   /kasus/lapor: where and when the dose was given; the case
    tracker.py   /kasus/<token>: how the case stands; a word added, the number proven, withdrawn
    words.py     what these pages say for our codes

Imported only where the door is open. No page says anything about a person before that person's number and birth date
or NIK were right.
"""
