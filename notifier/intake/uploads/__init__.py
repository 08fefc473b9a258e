"""A list of doses that staff upload: received and sealed, its columns named, checked, then recorded as any import is.

The way of one list: `receive` -> `columns` (somebody says what its columns mean) -> `check` -> somebody decides
(`deeds`) -> `recording`. The two long steps are done by workers (`steps`), piece by piece, each piece in one
transaction with how far the work has come.
"""
