"""Serve the texts that consents are asked with, before anybody has enrolled.

Layer: edges. Takes: requests of apps. Gives: a text as it is kept, and the same paragraph by
paragraph, so that each switch stands beside what it is about. What was agreed to is the text whose
hash the consent carries; anybody can compute it.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.model.errors import NotFound
from offers.model.ids import TEXT_CHARACTERS_MAX
from offers.model.people.consent import Purpose
from offers.model.people.consent_text import ConsentParagraph, ConsentText
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork

KEPT_S = 300

consent_text_routes = APIRouter(tags=["app"])


class ConsentParagraphBody(Body):
    """A paragraph, of one purpose or of all."""

    purpose: Purpose | None = Field(description="null: about all of them")
    title: str | None = Field(examples=["Place"])
    text: str

    @classmethod
    def of(cls, paragraph: ConsentParagraph) -> "ConsentParagraphBody":
        """Render a paragraph."""
        return cls(purpose=paragraph.purpose, title=paragraph.title, text=paragraph.text)


class ConsentTextBody(Body):
    """A text of consents in one language."""

    version: str = Field(examples=["2026-11"])
    locale: Locale
    sha256: str = Field(description="of `text` in UTF-8; consents carry it")
    heading: str | None
    paragraphs: tuple[ConsentParagraphBody, ...]
    text: str = Field(description="all of it, as it is kept (Markdown)")

    @classmethod
    def of(cls, kept: ConsentText) -> "ConsentTextBody":
        """Render a text."""
        return cls(
            version=kept.version,
            locale=kept.locale,
            sha256=kept.sha256,
            heading=kept.heading,
            paragraphs=tuple(map(ConsentParagraphBody.of, kept.paragraphs)),
            text=kept.text,
        )


@consent_text_routes.get(
    "/consent-text",
    operation_id="getConsentText",
    responses=problems(ProblemCode.NOT_FOUND, is_open=True),
)
async def get_consent_text(
    services: ServicesDep,
    response: Response,
    locale: Locale = Locale.DE,
    version: Annotated[
        str | None,
        Query(min_length=1, max_length=TEXT_CHARACTERS_MAX, description="left out: the newest"),
    ] = None,
) -> ConsentTextBody:
    """Return what a shopper is to be shown before he grants anything."""

    def look(work: UnitOfWork) -> ConsentText:
        wanted = version or work.consents.newest_text_version()
        kept = () if wanted is None else work.consents.texts_of(wanted)
        found = next((text for text in kept if text.locale is locale), None)
        if found is None:
            raise NotFound(
                f"no text of consents is kept under this version in {locale}; expected one that "
                "the service was started with. Leave the version out for the newest."
            )
        return found

    found = await services.read(look)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
    return ConsentTextBody.of(found)
