"""What the ``yiwang`` command cannot do, in one clear sentence for the person who ran it."""


class SetupError(Exception):
    """The federation cannot be started or used; the message says why and what to do."""
