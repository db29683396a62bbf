"""url: something that runs already. It is reached, never started and never stopped."""

from harness.kinds import params
from harness.model.errors import UserError
from harness.services.ready import accepts
from harness.services.site import Site, Started
from harness.services.urls import address_of, anchored, password_in, scheme_of

_WITHOUT_TLS = {"https": "http", "rediss": "redis", "valkeys": "redis"}


class UrlService:
    """A service at a URL, on this machine unless its host is allowed."""

    kind = "url"
    summary = "a service that runs already, at this URL"

    @params
    class Params:
        url: str

    def __init__(self, params: "UrlService.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        url = str(site.fill(self._params.url, {}))
        password = password_in(url)
        if password is not None:
            site.hide(password)
        scheme = scheme_of(url)
        if scheme in _WITHOUT_TLS:
            raise UserError(
                f"service {site.name}: its URL begins with {scheme}, which is not supported yet.",
                hint=f"Name a port of it that speaks {_WITHOUT_TLS[scheme]}://.",
            )
        address = address_of(url, what=f"service {site.name}")
        if address is None:
            url = anchored(url, site.folder)
        if address is not None:
            # Again, for what the templates were filled with was not known when the files were read.
            site.check_host(address)
        return Started(
            address=address,
            url=url,
            ask=accepts(address) if address else None,
            waits=False,
        )
