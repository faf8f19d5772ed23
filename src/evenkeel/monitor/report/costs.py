"""What trading cost: from the profit of a market without friction to what is left, and if the costs were higher."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, bar, shape
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.uncertainty import Costs
from evenkeel.monitor.report.words import figure, money, share

_MULTIPLES = (Decimal(0), Decimal(1), Decimal("1.5"), Decimal(2), Decimal(3))


def costs_section(run: Run, costs: Costs) -> Html:
    """Return the waterfall from gross to net and the net at other costs."""
    if not run.trades:
        return tag(
            "section",
            tag("h2", "Costs"),
            tag("p", "Nothing was traded, so nothing was paid.", class_="empty"),
            id="costs",
        )
    return tag(
        "section",
        tag("h2", "Costs"),
        tag("p", _lead(run, costs), class_="quiet"),
        tag("div", _waterfall(costs, run), _sensitivity(costs), class_="pair"),
        id="costs",
    )


def _lead(run: Run, costs: Costs) -> str:
    currency = run.result.account.currency
    each = costs.friction / len(run.trades)
    text = f"A trade cost {money(each)} {currency} in fees and slippage on average."
    if costs.gross > 0:
        text += f" Together they took {share(float(costs.friction / costs.gross))} of the profit before costs."
    return text


def _waterfall(costs: Costs, run: Run) -> Html:
    steps = [
        ("Before costs", Decimal(0), costs.gross, "total"),
        ("Slippage", costs.gross, -costs.slippage, "step"),
        ("Fees", costs.gross - costs.slippage, -costs.fees, "step"),
    ]
    if costs.funding:
        steps.append(("Funding", costs.gross - costs.friction, costs.funding, "step"))
    steps.append(("Net", Decimal(0), costs.net, "total"))
    scale = Scale.around([0.0, *(float(base + change) for _, base, change, _ in steps)], margin=0.02)
    rows = (_row(name, base, change, kind, scale) for name, base, change, kind in steps)
    return tag(
        "figure",
        tag("h3", "From gross to net"),
        tag("div", *rows, class_="waterfall"),
        tag(
            "figcaption",
            f"{run.result.account.currency}. Slippage is already inside the fill prices; it is shown once.",
        ),
    )


def _row(name: str, base: Decimal, change: Decimal, kind: str, scale: Scale) -> Html:
    ends = sorted((scale(float(base)), scale(float(base + change))))
    look = f"{'gain' if change >= 0 else 'loss'} {kind}"
    zero = scale(0.0)
    amount = money(change, signed=True)
    square = Html(
        f'<svg viewBox="0 0 {SPAN} 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{shape(f'M{zero} 0V10', 'axis')}{bar(ends[0], 0, ends[1], 10, look, f'{name}: {amount}')}</svg>"
    )
    return tag("div", tag("span", name, class_="name"), square, tag("span", amount, class_="amount"), class_=kind)


def _sensitivity(costs: Costs) -> Html:
    rows = (
        tag(
            "tr",
            tag("th", f"{figure(multiple, digits=1)} ×", scope="row"),
            tag("td", money(costs.friction * multiple)),
            tag("td", money(net, signed=True), class_="gain" if net > 0 else "loss"),
            class_="current" if multiple == 1 else None,
        )
        for multiple in _MULTIPLES
        for net in (costs.net_at(multiple),)
    )
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Fees and slippage", "Paid", "Net")))
    even = costs.break_even
    note = "No costs were assumed." if even is None else f"Break-even at {figure(even)} × the costs assumed."
    return tag(
        "figure",
        tag("h3", "If the costs were different"),
        tag("table", tag("thead", head), tag("tbody", *rows), class_="plain"),
        tag("figcaption", f"{note} The same trades at other prices; a real change would also change the trades."),
    )
