"""Staff accounts, roles, API keys and sign-in rules.

May live here: who somebody is and what they may do. May not: Flask, forms, cookies.
"""
