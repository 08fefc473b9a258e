"""Alembic's folder: one file a step, forward only. `sertilink db upgrade` runs what is missing."""
