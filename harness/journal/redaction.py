"""Secrets out of events: every text of an event, at any depth, without harming its form.

Works on the event, not on its JSON: a secret such as ``1`` or ``type`` would otherwise break the
line. What a field can only spell in a few fixed ways (``Literal``) holds no secret and stays.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

HIDDEN = "•••"


def hiding(secrets: Iterable[str]) -> Callable[[str], str]:
    """Replaces each secret, the longest first, so that one inside another leaves no rest."""
    ordered = sorted(set(secrets), key=lambda secret: (-len(secret), secret))

    def hide(text: str) -> str:
        for secret in ordered:
            text = text.replace(secret, HIDDEN)
        return text

    return hide


def in_every_text(value: Any, change: Callable[[str], str]) -> Any:
    """``value`` with ``change`` applied to every text in it; structs stay what they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Struct):
        names = _open_fields(type(value))
        return replace(
            value, **{name: in_every_text(getattr(value, name), change) for name in names}
        )
    if isinstance(value, dict):
        return {in_every_text(k, change): in_every_text(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(in_every_text(item, change) for item in value)
    return value


@cache
def _open_fields(struct: type[Struct]) -> tuple[str, ...]:
    hints = get_type_hints(struct)
    return tuple(name for name in struct.__struct_fields__ if not _is_fixed(hints[name]))


def _is_fixed(hint: Any) -> bool:
    """A ``Literal``, or one or None."""
    if get_origin(hint) is Literal:
        return True
    parts = [part for part in get_args(hint) if part is not type(None)]
    return bool(parts) and all(get_origin(part) is Literal for part in parts)
