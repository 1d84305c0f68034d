"""The one tree of errors a user may see: what is wrong, where, what was expected, what to do."""


class SprachbundError(Exception):
    """Base of every error that is the user's to read, printed without a traceback."""


class SpecError(SprachbundError):
    """An experiment, pair or task manifest is not valid; all problems of the file at once."""


class SourceError(SprachbundError):
    """A source cannot be fetched or read: address, checksum, column, encoding, line counts."""


class LeakError(SprachbundError):
    """Held-out text stands in text to be trained on, and the experiment's policy is to fail."""


class ContractError(SprachbundError):
    """A stage lost, repeated, reordered or invented a sentence id."""


class ProcessError(SprachbundError):
    """A child process failed; carries the tail of its log."""


class StageError(SprachbundError):
    """A stage of the DAG failed or was asked for by a name that does not exist."""
