"""Errors that a user sees: one sentence, saying what is wrong, where, and what to do."""

from __future__ import annotations


class PipelineError(Exception):
    """Something went wrong that the user can mend; the message is one sentence and the exit code is 1."""

    exit_code = 1


class UsageError(PipelineError):
    """The command or the configuration is wrong; the exit code is 2."""

    exit_code = 2


class SetAside(Exception):  # noqa: N818 - what happens to the report; the run goes on
    """One report cannot be used. The run goes on without it.

    Attributes
    ----------
    reason : str
        Shown in the summary and in ``pipeline status``, e.g. ``"no text: scanned"``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __reduce__(self) -> tuple[type[SetAside], tuple[str]]:
        # Crosses process boundaries: workers raise it.
        return (type(self), (self.reason,))
