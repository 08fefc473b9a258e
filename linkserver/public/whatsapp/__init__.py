"""The door `whatsapp`: what a chat needs of the public face; the webhooks are always open (public.webhooks)."""
