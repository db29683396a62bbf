"""What a person types to put right on a proxy server what the harness could not. Words alone; nobody is called."""

import shlex
from urllib.parse import quote


def removal_command(admin: str, proxy: str, toxic: str | None = None) -> str:
    """What a person types to remove a proxy, or one toxic of it."""
    parts = ["proxies", proxy] + ([] if toxic is None else ["toxics", toxic])
    path = "/".join(quote(part, safe=":@") for part in parts)
    url = f"{admin.rstrip('/')}/{path}"
    return f"curl -X DELETE {shlex.quote(url)}"


def enabling_command(admin: str, proxy: str) -> str:
    """What a person types to let a disabled proxy listen again."""
    url = f"{admin.rstrip('/')}/proxies/{quote(proxy, safe=':@')}"
    return f"curl -d '{{\"enabled\": true}}' {shlex.quote(url)}"
