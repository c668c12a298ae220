"""Every error a user can meet.

AssistantError                 what happened, to which value, what to do
├── UsageError                 the request itself is wrong                    exit 2
│   ├── Closed                 the assistant was closed
│   └── UnknownAudience        no document is for a group of that name
└── UnavailableError           something needed isn't there                   exit 3
    ├── UnreadableFile         one file could not be read
    ├── IndexUnavailable       no index, a damaged one, or one made otherwise
    │   └── IndexBusy          another process is writing it
    ├── ModelUnavailable       a model can't be found, or isn't what it claims
    ├── Overloaded             too many questions at once
    └── DeadlineExceeded       there is no answer in the time that was given
"""


class AssistantError(Exception):
    """The root: its text is one line meant for the user."""


class UsageError(AssistantError):
    """The request can't be carried out as it stands."""


class Closed(UsageError):
    """The assistant, or its history, was closed before."""


class UnknownAudience(UsageError):
    """No document, and no `corpus.toml`, names a group of readers that the caller names."""


class UnavailableError(AssistantError):
    """Something the request needs isn't there."""


class UnreadableFile(UnavailableError):
    """One file could not be read; the text is the reason, without the path."""


class IndexUnavailable(UnavailableError):
    """The index is missing, damaged, or was made by another version, model or chunker."""


class IndexBusy(IndexUnavailable):
    """Another process is writing the index."""


class ModelUnavailable(UnavailableError):
    """A model is missing, needs an extra, or fails its digest."""


class Overloaded(UnavailableError):
    """Too many questions are being answered and wait already: ask again later."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which there is likely to be room."""


class DeadlineExceeded(UnavailableError):
    """The time that a question was given is over before its answer."""
