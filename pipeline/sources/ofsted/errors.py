"""Why an address gave nothing. Each carries one sentence for the summary."""

from __future__ import annotations


class FetchError(Exception):
    """This address gave nothing usable in this run; others may. The message is one sentence."""


class StopAsking(FetchError):  # noqa: N818 - says what to do
    """Nothing more is asked of the site in this run: the budget is used up, or the site does not want it."""


class TryAgain(FetchError):  # noqa: N818 - says what to do
    """A failure that may pass: the same address is tried again after a while.

    Attributes
    ----------
    after : float or None
        Seconds that the server asked to be left alone for.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after
