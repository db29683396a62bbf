"""A YAML parser's events to a tree with places, one after the other, with no recursion.

What a plain scalar means is ``plain_scalars.py``; reading files and bounding them is ``source.py``.
"""

from dataclasses import dataclass, field
from typing import Any

from harness.experiment.nodes import Entry, Mapping, Mark, Node, Places, Scalar, Sequence
from harness.experiment.plain_scalars import NoValue, plain_value
from harness.experiment.report import Report

_NOTHING = object()


class Unreadable(Exception):
    """The file gave no tree; what is wrong stands in the report already."""


@dataclass(slots=True)
class _Open:
    """A mapping or list that is not closed yet."""

    mark: Mark
    flow: bool
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Mark, bool] | None = None
    """The key that waits for its value, and whether the value is to be dropped."""
    last: tuple[str, int, int] | None = None
    """In braces: the last key whose value is plain text, and where that text begins and ends."""
    key_span: tuple[int, int] = (0, 0)


class Builder:
    """Events to nodes; the tree is ``root`` at the end."""

    def __init__(self, text: str, shown: str, report: Report) -> None:
        self._text = text
        self._places = Places(shown, text)
        self._report = report
        self._documents = 0
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.nodes = 0

    def mark(self, at: Any) -> Mark:
        """The place of one of the parser's own marks."""
        return self._places.mark(at.index)

    def take(self, event: Any) -> None:
        """Takes the next event in."""
        name = type(event).__name__
        if name == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._report.mark(
                    self.mark(event.start_mark),
                    "a second document begins",
                    "one document in a file",
                )
                raise Unreadable
        elif name == "AliasEvent":
            self._refuse(event, "an alias", "Write the value out, or share keys through include:.")
            self._drop()
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self._decorations(event)
            self.nodes += 1
            is_map = name == "MappingStartEvent"
            self.open.append(
                _Open(mark=self.mark(event.start_mark), flow=bool(event.flow_style), is_map=is_map)
            )
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self.open.pop()
            node: Node = (
                Mapping(entries=closed.entries, mark=closed.mark)
                if closed.is_map
                else Sequence(items=tuple(closed.items), mark=closed.mark)
            )
            self._place(node, None)
        elif name == "ScalarEvent":
            self._decorations(event)
            self.nodes += 1
            self._scalar(event)

    def _decorations(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(event, "an anchor", "Write the value out, or share keys through include:.")
        if event.tag is not None and str(event.tag) != "!":
            self._refuse(event, f"the tag {event.tag}", "Write the plain value.")

    def _refuse(self, event: Any, what: str, hint: str) -> None:
        self._report.mark(self.mark(event.start_mark), f"{what} is not allowed here", "", hint)

    def _scalar(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        mark = self.mark(event.start_mark)
        top = self.open[-1] if self.open else None
        if top is not None and top.is_map and top.key is None:
            self._key(event, top, mark, span)
            return
        if top is not None and top.is_map and self._continues(top, span):
            return
        inner: int | None = None
        if event.style is None and self._text[slice(*span)] == event.value:
            inner = 0
        elif event.style in ("'", '"') and self._text[span[0] + 1 : span[1] - 1] == event.value:
            inner = 1
        value = event.value if event.style is not None else self._resolved(event.value, mark)
        if value is _NOTHING:
            self._drop()
            return
        is_plain = event.style is None and isinstance(value, str)
        node = Scalar(value=value, mark=mark, inner=inner, plain=event.style is None)
        self._place(node, span if is_plain or (event.style is None and event.value) else None)

    def _key(self, event: Any, top: _Open, mark: Mark, span: tuple[int, int]) -> None:
        key = str(event.value)
        if key == "<<" and event.style is None:
            self._report.mark(
                mark, "a merge key (<<) is not allowed here", "", "Share keys through include:."
            )
        twice = key in top.entries
        if twice:
            first = top.entries[key].key
            self._report.mark(
                mark,
                f"the key {key!r} stands twice, first in line {first.line}",
                "each key once",
                key=key,
            )
        elif not key:
            self._report.mark(mark, "a key without a name", "a name before the colon")
        top.key = (key, mark, twice or not key or key == "<<")
        top.key_span = span

    def _continues(self, top: _Open, span: tuple[int, int]) -> bool:
        """Text behind a comma in braces, without a colon, goes on with the text before the comma.

        ``{title: read, check, write back}`` then means what everybody means by it: a key without a
        colon has no use in our files.
        """
        if not top.flow or span[0] != span[1] or top.last is None or top.key is None:
            return False
        begin, end = top.key_span
        if ":" in self._text[end : span[0]] or "\n" in self._text[top.last[1] : end]:
            return False
        if self._text[begin] in "\"'?":
            return False
        name, start, _ = top.last
        entry = top.entries[name]
        mark = entry.value.mark
        whole = Scalar(value=self._text[start:end], mark=mark, inner=0, plain=True)
        top.entries[name] = Entry(key=entry.key, value=whole)
        top.last = (name, start, end)
        top.key = None
        return True

    def _place(self, node: Node, plain_span: tuple[int, int] | None) -> None:
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        if not top.is_map:
            top.items.append(node)
            return
        if top.key is None:
            # A list, mapping or alias where a key belongs.
            self._report.mark(node.mark, "a key is no text", "a name before the colon")
            top.key = ("", node.mark, True)
            return
        key, mark, dropped = top.key
        top.key = None
        top.last = None
        if not dropped:
            top.entries[key] = Entry(key=mark, value=node)
            if plain_span is not None:
                top.last = (key, *plain_span)

    def _drop(self) -> None:
        """Leaves the value out that is being read: what is wrong with it was reported."""
        top = self.open[-1] if self.open else None
        if top is not None and top.is_map:
            if top.key is not None:
                top.key = None
            else:
                top.key = ("", top.mark, True)

    def _resolved(self, text: str, mark: Mark) -> Any:
        try:
            return plain_value(text)
        except NoValue as problem:
            self._report.mark(mark, problem.found, problem.expected)
            return _NOTHING
