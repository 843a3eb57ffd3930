"""Every screen of the house in a real browser: no complaint of the console, of a script, of the policy or of a request.

The list is the house's own table of addresses, so that a new screen is visited without being added here. One that shows
an object needs one (`shown_by_routes`): a screen that answers anything but its page fails until it has it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
from django.urls import get_resolver
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response
from playwright.sync_api import Error as NoPage
from tests.attacks.rights_of_routes import SCREENS
from tests.attacks.test_matrix import PEOPLE, may, routes
from tests.attacks.test_second_factor import Protected
from tests.browser.conftest import World, storage
from tests.browser.serving import serving
from tests.browser.shown_by_routes import address, leaving, ordered, prepared
from tests.joined import apart
from tests.passkey import Browser as PasskeyBrowser

from parcelward.doors.api.problems import PATHS
from parcelward.people.models import Membership, User
from parcelward.people.queries import person_of
from parcelward.people.wire import Person, Role

pytestmark = [pytest.mark.browser, pytest.mark.asvs("3.4.3", "14.2.1", "14.3.2")]
NOBODY: Final = "nobody"
FOR_PROGRAMS: Final = (*PATHS, "/static/")
PAGES_AMONG_THEM: Final = frozenset({"/api/v1/docs"})
NEWCOMER: Final = "newcomer"  # a second addressee, who has asked for nothing yet
CODE_SENT: Final = "code_sent"  # nobody yet, who has asked for a code by e-mail
HALF_IN: Final = "half_in"  # nobody yet, who is asked for a second proof
NO_PAGE: Final = {
    "/app/proofing/counter/barcode.svg": "a picture",
    "/app/orders/<uuid:order_id>/labels/<int:place>/<str:form>": "a file",
    "/app/orders/<uuid:order_id>/customs/<int:place>/form": "a file",
    "/accounts/session": "what our script asks",
}
"""What an address gives that is no page."""
LEADS_ON: Final = {
    "/accounts/sign-in": "whoever is signed in goes on",
    "/language/<str:code>": "back to where one was",
}
"""Whose page is that of another address, and why."""
NOT_THERE: Final = {
    "/my-data/erased/<uuid:request_id>": "until somebody was erased: tests/browser/test_my_data.py",
    **{
        f"/app/uploads/<uuid:upload_id>{deed}": "each sender's own: tests/browser/test_uploads.py"
        for deed in ("", "/columns", "/give-up", "/labels")
    },
    "/app/balance/payments/<uuid:payment_id>": "each sender's own: tests/browser/test_balance.py",
    **dict.fromkeys(
        (
            "/app/webhooks/<uuid:endpoint_id>",
            *(f"/app/webhooks/<uuid:endpoint_id>/{deed}" for deed in ("change", "remove", "rotate")),
            "/app/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>",
        ),
        "each sender's own: tests/browser/test_webhooks.py",
    ),
}
"""What answers that there is nothing."""
SEEN_BY_OTHERS: Final = {
    "/app/proofing/counter": NEWCOMER,
    "/app/proofing/letter": NEWCOMER,
    "/accounts/sign-in/code/typed": CODE_SENT,
    "/accounts/sign-in/second": HALF_IN,
    "/accounts/sign-in/second/options": HALF_IN,
    "/app/account/passkeys/<int:passkey_id>/remove": Role.ADMINISTRATOR,
    "/app/account/passkeys/<int:passkey_id>/rename": Role.ADMINISTRATOR,
}
"""What only those see who are about to do something, or have a passkey."""
ONLY_TAKES: Final = 405
SHORT: Final = 8  # such as a language's
LISTEN = """
  window.refusedByPolicy = [];
  document.addEventListener("securitypolicyviolation", (refused) =>
    window.refusedByPolicy.push(`${refused.effectiveDirective} ${refused.blockedURI} line ${refused.lineNumber}`));
"""

LINKS = """[...document.querySelectorAll("[href], [src], form")]
  .map((each) => String(each.tagName === "FORM" ? each.action : each.href || each.src))
  .filter((url) => url.startsWith("http"))"""
"""Every address in a page."""
PRIVATE: Final = ("hohenlohe", "katharina", "evergreen", "quillfeather", "@", "%40", "pw_test_", "pw_live_", "csrf")
"""What is in no address: of whom the screens show (`shown_by_routes`), of any mailbox, of any key."""


def screens() -> list[str]:
    """Return every route that is for people."""
    walked = routes(get_resolver().url_patterns)
    return sorted(r for r in walked if r in PAGES_AMONG_THEM or not r.startswith(FOR_PROGRAMS))


def seen_by(route: str) -> list[str]:
    """Return as whom a screen is visited: one that may see it; the start page as all of them."""
    if route in SEEN_BY_OTHERS:
        return [SEEN_BY_OTHERS[route]]
    if route not in SCREENS:
        return [NOBODY, Role.ADDRESSEE]
    those = [role for role in (*PREFERRED, *PEOPLE) if may(role, SCREENS[route])]
    assert those, f"nobody may see {route}"
    return PEOPLE if route == "/app/" else those[:1]  # type: ignore[return-value]  # roles are words


PREFERRED: Final = (Role.ADDRESSEE, Role.ADMINISTRATOR, Role.INSPECTOR, Role.CLERK, Role.COURIER)


class Visitor:
    """One browser of one person, which hears every complaint."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._url = url
        self._said: list[str] = []
        context.add_init_script(LISTEN)
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._said.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("request", lambda request: self.urls.add(request.url))
        self.urls: set[str] = set()  # all that was asked for, or that a page leads to

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "GPU stall" not in message.text:  # the driver's chatter
            self._said.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # What the next visit cuts off has not failed.
        if request.url.startswith(self._url) and request.failure != "net::ERR_ABORTED":
            self._said.append(f"failed: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 and response.url.startswith(self._url):
            self._said.append(f"{response.status}: {response.url}")

    def visit(self, where: str) -> tuple[Response | None, list[str]]:
        """Open an address; return its answer, if it is a page, and all complaints."""
        self._said.clear()
        try:
            answer = self.page.goto(self._url + where, wait_until="load")
        except NoPage as why:
            return None, [str(why)]
        self.urls |= set(self.page.evaluate(LINKS))
        self._said += [f"policy: {each}" for each in self.page.evaluate("window.refusedByPolicy ?? ['not heard']")]
        return answer, list(self._said)


def complaints(visitor: Visitor, route: str, where: str) -> Iterator[str]:
    """Yield what is wrong with the page at an address."""
    answer, said = visitor.visit(where)
    if answer is None:
        if route not in NO_PAGE:
            yield f"{where}: {said}"
        return
    if answer.status == ONLY_TAKES or route in NOT_THERE or route in NO_PAGE:  # a picture alone has no icon
        said = [each for each in said if "the server responded with a status of 40" not in each]
    if answer.status not in {404 if route in NOT_THERE else 200, ONLY_TAKES}:
        yield f"{where}: {answer.status}"
    yield from (f"{where}: {each}" for each in said)
    if route in SCREENS and "no-store" not in answer.headers.get("cache-control", ""):
        yield f"{where}: a browser may keep it"
    if route in NO_PAGE:
        return
    if not answer.headers["content-type"].startswith("text/html"):
        yield f"{where}: {answer.headers['content-type']}"
    policy = answer.headers["content-security-policy"]
    if not re.search(r"script-src 'self' 'nonce-[\w-]{22}'", policy) or "unsafe" in policy:
        yield f"{where}: {policy}"
    if visitor.page.url.split("?")[0] != answer.url.split("?")[0] or (
        not visitor.page.url.endswith(where) and route not in LEADS_ON
    ):
        yield f"{where}: led to {visitor.page.url}"


@pytest.fixture(scope="module")
def objects(installation: Any, world: World, people: Any) -> dict[str, dict[str, str]]:
    event = httpx.get(f"{installation.url}/api/v1/items/{world.derived}/events", timeout=30).json()[0]["id"]
    reader, boss, seller = (people(role) for role in (Role.ADDRESSEE, Role.ADMINISTRATOR, Role.SENDER_MEMBER))
    shown = apart(lambda: prepared(world, acting_as(reader), acting_as(boss), event.removeprefix("evt_")))
    return shown | {
        "/app/orders": apart(lambda: ordered(acting_as(seller))),
        "/app/orders/<uuid:order_id>/customs": apart(lambda: leaving(acting_as(seller))),
        "/app/orders/<uuid:order_id>/appeal": apart(
            lambda: ordered(acting_as(seller), description="20 rockets, fireworks")
        ),
        "/app/reviews/orders": apart(lambda: ordered(acting_as(seller), description="spare parts", un="UN9999")),
    }


def acting_as(browser: PasskeyBrowser) -> Person:
    user = User.objects.get(id=browser.user_id) if browser.passkey.user_handle else READERS[browser]
    user.acting = Membership.objects.filter(user=user, ended_at=None).values_list("id", flat=True).first()
    return person_of(user)


READERS: Final[dict[PasskeyBrowser, User]] = {}
"""Whose account a browser without a passkey opens."""


@pytest.fixture(scope="module")
def people(installation: Any, staff: Callable[[str], Any]) -> Iterator[Callable[[str], PasskeyBrowser]]:
    """Return the browser of somebody in a role, or on the way to one."""
    made: dict[str, PasskeyBrowser] = {}

    def begun(who: str) -> PasskeyBrowser:
        mine = PasskeyBrowser(installation.url)
        email = f"{who}-{uuid.uuid4().hex[:8]}@example.com"
        if who == CODE_SENT:
            assert mine.ask_code(email).status_code == 302
        elif who == HALF_IN:
            first = PasskeyBrowser(installation.url)
            apart(lambda: Protected(first, installation.home)).asked(mine)
            first.http.close()
        else:
            assert mine.by_code(email, installation.home).status_code == 302
            READERS[mine] = apart(lambda: User.objects.latest("created_at"))
        return mine

    def one(who: str) -> PasskeyBrowser:
        if who not in {Role.ADDRESSEE, NEWCOMER, CODE_SENT, HALF_IN}:
            mine: PasskeyBrowser = staff(who)
            mine.prove()
            return mine
        if who not in made:
            made[who] = begun(who)
        return made[who]

    yield one
    READERS.clear()
    for each in made.values():
        each.http.close()


@pytest.mark.parametrize("who", [NOBODY, NEWCOMER, CODE_SENT, HALF_IN, *PEOPLE])
def test_no_screen_makes_a_browser_complain(
    who: str, chromium: Browser, installation: Any, people: Any, objects: Any
) -> None:
    state: Any = None if who == NOBODY else storage(people(who))
    context = chromium.new_context(storage_state=state, locale="en")
    try:
        visitor = Visitor(context, installation.url)
        # What is no page comes last: a browser asks for its icon, which there is not, some time afterwards.
        theirs = sorted((route for route in screens() if who in seen_by(route)), key=NO_PAGE.__contains__)
        assert theirs
        found = [each for route in theirs for each in complaints(visitor, route, address(route, objects))]
        assert not found, "\n".join(found)
        secrets = [*PRIVATE, *(cookie["value"] for cookie in context.cookies() if len(cookie["value"]) > SHORT)]
        assert [url for url in visitor.urls for each in secrets if each in url.lower() or each in url] == []
    finally:
        context.close()


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("", ""),
        ('<p style="color: red">x</p>', "policy: style-src-attr inline"),
        ("<style>p { color: red }</style>", "policy: style-src-elem inline"),
        ("<script>document.title = 1</script>", "policy: script-src-elem inline"),
        ('<script src="https://elsewhere.example/x.js"></script>', "policy: script-src-elem https://elsewhere.example"),
        ('<script nonce="n">throw new Error("on purpose")</script>', "script: on purpose"),
        ('<script nonce="n">console.warn("on purpose")</script>', "console: on purpose"),
        ('<img src="/broken">', "500: "),
        ('<img src="/round">', "failed: "),
    ],
)
def test_each_complaint_would_be_heard(chromium: Browser, body: str, heard: str) -> None:
    policy = "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self'; img-src 'self' data:"

    def application(environ: Any, start: Any) -> list[bytes]:
        head = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)]
        where = environ["PATH_INFO"]
        page = f'<!doctype html><link rel="icon" href="data:,"><title>x</title>{body}'.encode()
        said = {"/broken": "500 No", "/round": "302 Round"}.get(where, "200 OK")
        start(said, [*head, ("Content-Length", str(len(page))), ("Location", where)])
        return [page]

    with serving(application) as url:
        context = chromium.new_context()
        _answer, said = Visitor(context, url).visit("/")
        context.close()
    assert any(each.startswith(heard) for each in said) if heard else not said, said
