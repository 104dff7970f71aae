"""The part of the Python client that signs: the wallet's verbs, and offers. Everything here needs the token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from horoi.web.client_pages import segment
from horoi.web.model import offers as offer_records
from horoi.web.model import wallet

T = TypeVar("T")

_PATHS: dict[type, str] = {
    wallet.Define: "define",
    wallet.Issue: "issue",
    wallet.Transfer: "transfer",
    wallet.HandOver: "hand-over",
    wallet.Reclaim: "reclaim",
    wallet.Transform: "transform",
    wallet.Refine: "refine",
    wallet.Retire: "retire",
    wallet.License: "license",
    wallet.Say: "post",
    wallet.Split: "split",
    wallet.Merge: "merge",
}


class Owner(ABC):
    """What a node's owner does. ``Client`` puts it to a node."""

    @abstractmethod
    def _get(self, path: str, kind: type[T], **query: Any) -> T: ...

    @abstractmethod
    def _post(self, path: str, form: msgspec.Struct, kind: type[T], **query: Any) -> T: ...

    # ---- the wallet------------------------------------------------------------

    def wallet_keys(self) -> wallet.KeyList:
        """The keys that the node can sign with."""
        return self._get("/v1/wallet/keys", wallet.KeyList)

    def act(
        self,
        verb: wallet.Verb,
        *,
        submit: bool = True,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Say one verb (``Define``, ``Issue``, ``Transfer``, ...) with the node's keys, and hand it to the mempool."""
        return self._wallet(_PATHS[type(verb)], verb, submit, fee, payer, keys)

    def draft(
        self,
        steps: Sequence[wallet.Step],
        *,
        submit: bool = True,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Say several verbs (``TransferStep``, ``SayStep``, ...) in one transaction."""
        return self._wallet("draft", wallet.DraftForm(steps=list(steps)), submit, fee, payer, keys)

    def sign(
        self,
        partial: dict[str, Any],
        *,
        preimages: Sequence[bytes] = (),
        submit: bool = True,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Add the node's signatures to a partially signed transaction (its file's content)."""
        form = wallet.SignForm(partial=partial, preimages=[preimage.hex() for preimage in preimages])
        return self._wallet("sign", form, submit, None, None, keys)

    def _wallet(
        self,
        path: str,
        form: msgspec.Struct,
        submit: bool,
        fee: int | None,
        payer: str | None,
        keys: Sequence[str] | None,
    ) -> wallet.WalletAnswer:
        query = {"submit": "true" if submit else "false", "fee": fee, "payer": payer, "keys": _names(keys)}
        return self._post(f"/v1/wallet/{path}", form, wallet.WalletAnswer, **query)

    # ---- offers----------------------------------------------------------------

    def make_offer(
        self,
        steps: Sequence[wallet.Step],
        *,
        note: str = "",
        expires: str | int | None = None,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> offer_records.OfferView:
        """Propose steps in one transaction, signed with the node's keys, to those who must sign too."""
        form = offer_records.OfferForm(steps=list(steps), note=note, expires=expires)
        return self._post("/v1/offers", form, offer_records.OfferView, fee=fee, payer=payer, keys=_names(keys))

    def offer_partial(
        self,
        partial: dict[str, Any],
        *,
        note: str = "",
        expires: str | int | None = None,
        keys: Sequence[str] | None = None,
    ) -> offer_records.OfferView:
        """Offer a partially signed transaction (its file's content)."""
        form = offer_records.OfferForm(partial=partial, note=note, expires=expires)
        return self._post("/v1/offers", form, offer_records.OfferView, keys=_names(keys))

    def offers(self, state: str = "open", *, limit: int = 50, offset: int = 0) -> offer_records.OfferList:
        """Offers, newest first: ``incoming``, ``awaiting``, ``outgoing``, ``done``, ``open`` or ``all``."""
        return self._get("/v1/offers", offer_records.OfferList, state=state, limit=limit, offset=offset)

    def offer(self, offer_id: str) -> offer_records.OfferView:
        """An offer, with what every party has before and after."""
        return self._get(f"/v1/offers/{segment(offer_id)}", offer_records.OfferView)

    def accept_offer(
        self, offer_id: str, *, preimages: Sequence[bytes] = (), keys: Sequence[str] | None = None
    ) -> offer_records.OfferView:
        """Agree with an offer."""
        form = offer_records.AcceptForm(preimages=[preimage.hex() for preimage in preimages])
        return self._post(f"/v1/offers/{segment(offer_id)}/accept", form, offer_records.OfferView, keys=_names(keys))

    def refuse_offer(
        self, offer_id: str, reason: str = "", *, keys: Sequence[str] | None = None
    ) -> offer_records.OfferView:
        """Say no to an offer."""
        form = offer_records.RefuseForm(reason=reason)
        return self._post(f"/v1/offers/{segment(offer_id)}/refuse", form, offer_records.OfferView, keys=_names(keys))

    def withdraw_offer(self, offer_id: str, *, spend: bool = False) -> offer_records.OfferView:
        """Take an own offer back; with ``spend``, so that it can never come about."""
        form = offer_records.WithdrawForm(spend=spend)
        return self._post(f"/v1/offers/{segment(offer_id)}/withdraw", form, offer_records.OfferView)


def _names(keys: Sequence[str] | None) -> str | None:
    return ",".join(keys) if keys is not None else None
