"""What can go wrong with the local stack, in words for whoever started it."""


class StackError(Exception):
    """The stack can't do what it was asked to; the message says why and what to do."""


class BadSetting(StackError):
    """What the environment says can't be; whoever set it can put it right."""
