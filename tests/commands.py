"""Commands for tests of the supervisor, which says what it needs and leaves the approval to others."""

from __future__ import annotations

from evenkeel.execution.supervisor.plan import WishAmend, WishCancel
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.order import VenueOrder


def commanded(need: VenueOrder | WishAmend | WishCancel | LookUpOrder) -> VenueCommand:
    """Return a need as the command that it would become if it were approved as it is."""
    match need:
        case VenueOrder():
            return PlaceOrder(order=need)
        case WishAmend():
            return AmendOrder(client_id=need.client_id, amendment=need.amendment)
        case WishCancel():
            return CancelOrder(client_id=need.client_id, why=need.why)
        case LookUpOrder():
            return need
