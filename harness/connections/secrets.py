"""Where ``{env:NAME}`` and ``{file:PATH}`` come from: what a request needs and no plan may hold.

Read at the moment of use; nothing is kept. What no message may hold is taken out of it here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from harness.model.errors import UserError

# A token or a key; whoever names a log file by mistake is told so instead of sending it.
MOST_BYTES = 64 * 1024


def file_text(folder: Path) -> Callable[[str], str]:
    """Reads texts below ``folder`` (absolute paths as they are), without the last line's end."""

    def read(name: str) -> str:
        path = folder / Path(name).expanduser()
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            text = content.decode()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}); {{file:{name}}} asks for it."
            ) from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is no UTF-8 text; {{file:{name}}} asks for it.") from error
        if len(content) > MOST_BYTES:
            raise UserError(
                f"{path} is longer than 64 KiB; {{file:{name}}} takes a short text such as a token."
            )
        return text.rstrip("\r\n")

    return read


@dataclass(frozen=True, slots=True)
class Sources:
    """Where templates take values from that no file of the user's holds. Both raise ``UserError``."""

    env: Callable[[str], str]
    file: Callable[[str], str]


HIDDEN = "•••"


def spellings(password: str) -> tuple[str, ...]:
    """The forms in which ``password`` may get into a message, longest first; none for an empty one."""
    if not password:
        return ()
    forms = {password, quote(password, safe=""), quote_plus(password), repr(password)[1:-1]}
    return tuple(sorted(forms, key=len, reverse=True))


def hidden(message: str, secrets: Iterable[str]) -> str:
    """``message`` without any of ``secrets``."""
    for secret in secrets:
        message = message.replace(secret, HIDDEN)
    return message
