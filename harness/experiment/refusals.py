"""What a kind says against its own attributes, put at the place of the attribute that it blames.

What may stand together is the kind's to know; here it is only asked, and told. Values that are wrong
by themselves were told before, in ``draft.py``.
"""

from harness.experiment.draft import Draft
from harness.experiment.nodes import Mapping, Path, child, find
from harness.experiment.texts import sentence
from harness.experiment.worded import Worded, word_of
from harness.experiment.wording import keys_of
from harness.model.errors import UserError


def check_params(draft: Draft, path: Path, worded: Worded) -> bool:
    """Makes the kind's own ``Params``; False if the kind refuses them, which is then reported."""
    try:
        worded.params()
    except (UserError, ValueError) as problem:
        tell_refusal(draft, path, worded, problem)
        return False
    return True


def tell_refusal(draft: Draft, path: Path, worded: Worded, problem: Exception) -> None:
    """Reports what the kind said, ``attribute: found; hint``, where that attribute stands."""
    said = str(problem).removeprefix(f"{worded.kind}: ")
    word, _ = word_of(worded.kind)
    at, rest = _blamed(draft, path, worded, said)
    left_out = _left_out(draft, path, worded)
    if at[-1] in left_out or (left_out and at[-1] == word):
        return  # what is missing may be just what was wrong by itself
    found, _, hint = rest.partition("; ")
    draft.wrong(at, found.rstrip("."), "", sentence(hint))


def _left_out(draft: Draft, path: Path, worded: Worded) -> list[str]:
    """The keys that stand in the file, were wrong by themselves, and are not there any more."""
    given = worded.given()
    node = find(draft.root, (*draft.at, *path))
    places = [node, child(node, word_of(worded.kind)[0]) or node]
    known = (*keys_of(type(worded)), *worded.attributes.values())
    wrong = [
        name
        for name in worded.attributes.values()
        if name not in given and any(child(place, name) for place in places)
    ]
    if isinstance(node, Mapping):
        wrong += [key for key in node.entries if key not in known]
    return wrong


def _blamed(draft: Draft, path: Path, worded: Worded, said: str) -> tuple[Path, str]:
    """Where the attribute stands that the message begins with, and the rest of the message."""
    word: Path = (*path, word_of(worded.kind)[0])
    name, colon, rest = said.partition(": ")
    for at in ((*path, name), (*word, name)):
        above = find(draft.root, (*draft.at, *at[:-1]))
        if colon and name in worded.attributes.values() and child(above, name):
            return at, rest
    return word, said
