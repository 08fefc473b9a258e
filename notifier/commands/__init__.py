"""The commands of `sertilink`, one module a family; `notifier.cli` gathers them.

May live here: reading arguments, printing, exit codes. May not: rules, SQL, states; those are asked of the rooms.
"""
