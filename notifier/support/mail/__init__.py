"""What people write by e-mail: read into cases, answered; never a word about a person in it.

letters.py     What a letter is: who wrote, to be answered or not, its text, what was left out unread
texts.py       Bytes of a part to text; HTML to text; what is quoted is cut off
published.py   The facts of a letter in the format that PeduliLindungi asked for
take.py        Letters from the mailbox into cases, each once
caps.py        How many cases they may open in an hour; beyond that they wait in the mailbox
answers.py     What is written back by itself
outbox.py      Letters out, each at most once
"""
