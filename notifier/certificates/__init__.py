"""What the person holds: facts, drawing (PDF, picture, QR), issue, links, and opening by birth date.

May live here: what a certificate says and who may see it. May not: Flask, sending, the environment.
"""
