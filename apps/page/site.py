"""The page as a web application: the way from a request to an answer and to HTML."""

import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, make_response, redirect, render_template, request, url_for
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from apps.page import folders, models, server, texts, uploads
from apps.page.asked import Asked
from tasks import ROOMS, module_of
from utils.run import startup

ROOM_OF = {tab: room for room, row in ROOMS.items() for tab in row.tabs}
TABS = {tab: getattr(module_of(room, "apps.tabs"), tab) for tab, room in ROOM_OF.items()}
TEMPLATES = [os.path.dirname(module_of(room, "apps.tabs").__file__) for room in dict.fromkeys(ROOM_OF.values())]
HEADERS = {  # nothing is fetched from elsewhere, nothing is kept, and no other site may show the page within its own
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                               "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_site(kept: models.Models, root: str, language: str = "auto", local: bool = True) -> Flask:
    """The application.

    Args:
        kept: the models that answer.
        root: the folder below which visitors may search.
        language: of `texts.LANGUAGES`, or "auto" for that of the browser; a visitor may change it on the page.
        local: whether only browsers of this machine, which call it localhost or by its address, are answered.
    """
    site = Flask(__name__)
    site.jinja_loader = ChoiceLoader([site.jinja_loader, FileSystemLoader(TEMPLATES)])
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True
    site.config["MAX_CONTENT_LENGTH"] = uploads.ALL_MEGABYTES * 2**20
    site.config["MAX_FORM_PARTS"] = uploads.FILES

    @site.before_request
    def refuse_other_sites() -> None:
        if local and not server.is_local(urlsplit(f"//{request.host}").hostname or ""):
            abort(400)  # another site gave this machine a name of its own
        if request.method == "POST" and is_foreign(request.headers, request.host):
            abort(403)  # another site sends its own form here

    @site.get("/")
    def start():
        return redirect(url_for("question", tab=next(iter(TABS)), **request.args))

    @site.route("/<tab>", methods=["GET", "POST"])
    def question(tab: str):
        spoken = spoken_by_visitor(language)
        if tab not in TABS:
            return page(next(iter(TABS)), spoken, root, {}, texts.text(spoken, "not_found"), 404)
        answer, error, status = ask(tab, kept, root, spoken) if request.method == "POST" else ({}, "", 200)
        return page(tab, spoken, root, answer, error, status)

    @site.errorhandler(500)
    def failed(error: Exception) -> tuple[str, int]:
        traceback.print_exception(error.original_exception or error, file=sys.stderr)
        return texts.text(spoken_by_visitor(language), "failed"), 500

    @site.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return site


def is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Whether a browser says that a page of another site, or of another port, sends a request; a program, which says
    nothing, is none.

    Args:
        host: to which the request goes, with its port.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()  # "null" is of no site


def spoken_by_visitor(language: str) -> str:
    """The language that the visitor chose on the page, otherwise that of --language or of the browser."""
    for chosen in (request.args.get("language"), request.cookies.get("language"), language):
        if chosen in texts.LANGUAGES:
            return chosen
    return request.accept_languages.best_match([*texts.LANGUAGES, "zh-CN", "zh-TW"], "en")[:2]


def ask(tab: str, kept: models.Models, root: str, language: str) -> tuple[dict[str, Any], str, int]:
    """The answer to what was sent, or one line that says why there is none; and the status of the response."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            files = {name: uploads.keep(request.files.getlist(name), folder) for name in request.files}
            answer = TABS[tab](kept, Asked(root, request.form.to_dict(), files))
            for name in ("said", "warning", "words"):
                answer[name] = without(folder, language, answer.get(name, ""), ROOM_OF[tab])
            return answer, "", 200
        except RequestEntityTooLarge:
            large = (request.content_length or 0) > request.max_content_length
            return {}, texts.text(language, "too_large" if large else "too_many_files", megabytes=uploads.ALL_MEGABYTES,
                                  files=uploads.FILES), 413
        except HTTPException:
            raise
        except uploads.TooLarge as error:
            return {}, texts.text(language, "file_too_large", name=error.name, size=error.size,
                                  megabytes=uploads.MEGABYTES), 413
        except Exception as error:
            return {}, without(folder, language, why_not(error), ROOM_OF[tab]) or texts.text(language, "failed"), 400


def why_not(error: Exception) -> str:
    """What a visitor can mend, in one line; "" where nobody can, and then the program's window says what happened."""
    if startup.out_of_memory(error):
        return "out of memory: choose fewer or smaller pictures"
    line = startup.what_a_person_can_mend(error)
    if not line:
        traceback.print_exception(error, file=sys.stderr)
    return " ".join(line.split())


def without(folder: str, language: str, said: str | list[str], room: str) -> str | list[str]:
    """What the program said on a tab of `room`, in the visitor's language, with the names that the visitor's files
    have."""
    if isinstance(said, list):
        return [without(folder, language, line, room) for line in said]
    return texts.translated(language, uploads.without(folder, said), room)


def page(tab: str, language: str, root: str, answer: dict[str, Any], error: str, status: int) -> Response:
    """The page with a tab and its answer."""
    room = ROOM_OF[tab]
    response = make_response(render_template(
        f"{tab}.html", tab=tab, tabs=list(TABS), language=language, languages=texts.LANGUAGES,
        root=os.path.join(root, ""),
        folders=partial(folders.offered, root), models=models.offered(room), megabytes=uploads.MEGABYTES,
        asked={} if status == 413 else request.form, answer=answer, error=error,
        t=partial(texts.text, language, room=room), has_text=texts.words(room).__contains__,
    ), status)
    if request.args.get("language") in texts.LANGUAGES:
        response.set_cookie("language", language, max_age=365 * 86400, samesite="Strict", httponly=True)
    return response
