"""Personal data: how long it is kept, what somebody is handed of it, how it is erased, whose was exposed."""
