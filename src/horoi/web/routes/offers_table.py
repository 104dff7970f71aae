"""The endpoints of offers: all of them need the node's token."""

from __future__ import annotations

from horoi.web.endpoint import JSON, Endpoint
from horoi.web.model.offers import (
    AcceptForm,
    AnswerPath,
    OfferForm,
    OfferList,
    OfferPath,
    OfferQuery,
    OffersQuery,
    OfferView,
    RefuseForm,
    WithdrawForm,
)
from horoi.web.routes import offers


def _read(path: str, handler: object, query: type, answer: type, *refusals: int) -> Endpoint:
    return Endpoint(
        "GET",
        path,
        handler,  # type: ignore[arg-type]
        {JSON: answer},
        query,
        needs_token=True,
        refusals=refusals,
        section="offers",
    )


def _say(path: str, handler: object, query: type, body: type) -> Endpoint:
    return Endpoint(
        "POST",
        path,
        handler,  # type: ignore[arg-type]
        {JSON: OfferView},
        query,
        body,
        needs_token=True,
        refusals=(400, 401, 403, 404, 409, 415, 422),
        section="offers",
    )


OFFER_ENDPOINTS: tuple[Endpoint, ...] = (
    _read("/v1/offers", offers.offers, OffersQuery, OfferList, 400, 401, 403),
    _read("/v1/offers/{id}", offers.offer, OfferPath, OfferView, 401, 403, 404),
    _say("/v1/offers", offers.make_offer, OfferQuery, OfferForm),
    _say("/v1/offers/{id}/accept", offers.accept_offer, AnswerPath, AcceptForm),
    _say("/v1/offers/{id}/refuse", offers.refuse_offer, AnswerPath, RefuseForm),
    _say("/v1/offers/{id}/withdraw", offers.withdraw_offer, OfferPath, WithdrawForm),
)
