"""Prove and bench: they start processes and drive them from outside.

May live here: the fault server, the measuring, the ledgers. May not: anything that production needs.
"""
