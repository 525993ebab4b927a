"""The error every command shows as one line and turns into a non-zero exit code."""


class UserError(Exception):
    """A failure the user can act on. The message names the file, row or source, and the remedy.

    The `c360` command prints the message without a traceback and exits with `exit_code`.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


DISK_FULL_SIGNS = (
    "no space left", "out of disk", "disk full", "disk is full", "disk quota exceeded", "file too large",
    "could not write", "max temp directory",
)  # fmt: skip


def is_disk_full(error: object) -> bool:
    """Whether an error (or its text), of whatever library, tells of a full disk."""
    text = str(error).lower()
    return any(sign in text for sign in DISK_FULL_SIGNS)
