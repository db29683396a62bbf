"""The words of an HTTP request: its first line and its headers, each with its error.

Nothing is sent from here, and no placeholder is filled.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from harness.experiment.words import describe, problem, text

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLine:
    """``POST /accounts/{account}/withdraw``."""

    method: str
    path: str


def http_line(value: object) -> HttpLine:
    """Reads method and path.

    Raises:
        PydanticCustomError: it is no such line; the message says why.
    """
    line = text(value).strip()
    method, space, path = line.partition(" ")
    path = path.strip()
    if re.search(r"https://", line):
        raise problem("https is not supported yet", "a method and a path, such as GET /healthz")
    if re.search(r"http://", line):
        raise problem(
            f"found {describe(line)}",
            "a method and a path, such as GET /healthz",
            "The service is named by on:, its URL by the service.",
        )
    if method.upper() not in METHODS or not space:
        raise problem(f"found {describe(line)}", f"a method ({', '.join(METHODS)}) and a path")
    if method not in METHODS:
        raise problem(f"the method {method!r} is not in capitals", "", f"Write {method.upper()}.")
    if not path.startswith(("/", "{")):
        raise problem(f"the path {path!r} does not begin with /", "", f"Write {method} /{path}.")
    outside = re.sub(r"\{[^{}]*\}", "", path)
    if re.search(r"[^!-~]", outside):
        raise problem(
            f"the path {path!r} holds a space or a character outside ASCII",
            "",
            "Write it percent-encoded.",
        )
    if "#" in outside:
        raise problem(
            f"the path {path!r} holds a #",
            "",
            "A fragment is never sent; write %23 for the character.",
        )
    return HttpLine(method=method, path=path)


_LINE_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": f"^\\s*({'|'.join(METHODS)})\\s+[/{{].*$",
        "description": "a method and a path, such as GET /healthz",
    }
)
Line = Annotated[HttpLine, PlainValidator(http_line), _LINE_SCHEMA]


def _line_text(value: object) -> str:
    line = http_line(value)
    return f"{line.method} {line.path}"


LineText = Annotated[str, PlainValidator(_line_text), _LINE_SCHEMA]


# Set by the harness, or harmful beside what it sets: two lengths of one body are a hole.
_OWN_HEADERS = (
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "te",
    "trailer",
    "upgrade",
)


def _any_header_name(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}", value):
        raise problem(f"{value!r} is no name of a header", "letters, digits and hyphens")
    return value


def _header_name(value: str) -> str:
    _any_header_name(value)
    if value.lower() in _OWN_HEADERS:
        raise problem(f"the header {value!r} is set by the harness itself", "another header")
    return value


def _header_value(value: object) -> str:
    line = text(value)
    if re.search(r"[\r\n\0]", line):
        raise problem("the header's value holds a line break", "one line")
    return line


# To be looked for; one that is to be sent must not be the harness' own.
HeaderName = Annotated[
    str,
    PlainValidator(lambda value: _any_header_name(text(value))),
    WithJsonSchema({"type": "string"}),
]
HeaderValue = Annotated[str, PlainValidator(_header_value), WithJsonSchema({"type": "string"})]
Headers = dict[Annotated[str, AfterValidator(_header_name)], HeaderValue]
