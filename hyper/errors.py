"""The one exception family: every message names the file, the fault and the mend."""

FAULT = "cannot go on: "  # how a rule's log marks its last words


class HyperError(Exception):
    """A fault that a person can mend.

    Parameters
    ----------
    where : object
        File, setting or command at fault.
    fault : str
        What is wrong with it.
    mend : str
        What to do about it.
    """

    def __init__(self, where: object, fault: str, mend: str) -> None:
        self.where, self.fault, self.mend = map(_printable, (str(where), fault, mend))
        stop = "" if self.fault.endswith((".", "?")) else "."
        super().__init__(f"{self.where}: {self.fault}{stop} {self.mend}.")


def _printable(text: str) -> str:
    """Spell out what could steer a terminal: names and contents of files come from others."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


class SettingsError(HyperError):
    """The configuration is wrong."""


class DatasetError(HyperError):
    """A file of the BIDS dataset is missing, broken or contradicts another."""


class GeneratorError(HyperError):
    """A generator checkpoint cannot be read."""


class NetworkError(HyperError):
    """The weights of a network that looks at images cannot be read."""


class DataError(HyperError):
    """Intermediate data cannot be used (empty mask, too few voxels, wrong shape)."""


class EngineError(HyperError):
    """A program that preprocessing was told to use is missing or failed."""
