"""Every check of the audit by name: its number in the specification of plays, what it needs, and its rule."""

from __future__ import annotations

from typing import NamedTuple

FILES, BETTER, BARS = "files", "files, better with bars", "bars"


class Rule(NamedTuple):
    """What a check says.

    Attributes:
        name: Of the check.
        number: In plays.md 6.12; None of an addition.
        needs: What it reads: the files of the run alone, or bars too.
        text: What holds where it passes.
        how: How the audit finds out, and what makes it skip.
    """

    name: str
    number: int | None
    needs: str
    text: str
    how: str


RULES = (
    Rule("LOAD", 1, FILES, "all files are there, parse strictly, have a known schema and speak of one run",
         "Each text must be what its column asks for; the refusal names file, line and column. Alone where it fails."),
    Rule("TRADE_COUNT", 2, FILES,
         "the summary counts the rows of the trade list; positions and their legs are numbered in order",
         "Rows with the same trade number that follow each other are the legs of one position."),
    Rule("FILLS_MATCH", None, FILES,
         "each position has one entry fill and one exit fill for each leg, that say what the rows say",
         "Quantities, prices, times, fees and memos of both files are compared digit by digit."),
    Rule("PNL_DIRECTION", 3, FILES, "a long gains when the price rose, a short when it fell",
         "The sign of the gross result against that of the price difference."),
    Rule("NET_PNL", 4, FILES, "net = gross + funding - fees, to the last digit", "An equality of decimals."),
    Rule("FEES", 5, FILES,
         "each fee is quantity x price x multiplier x rate + quantity x fee per contract; legs share that of the "
         "entry; all sums agree",
         "Maker or taker as the fill says; a liquidation at its own rate; half of 1e-8 is allowed."),
    Rule("SL_TP_LEVELS", 6, FILES,
         "stop, entry and target are in order and on the tick grid, and exist where the strategy has a rule",
         "Levels of the trade list against its entry price."),
    Rule("EXIT_REASON", 7, FILES,
         "the exit's price, point and liquidity are ones that its reason allows; a stop moved only by a rule, and "
         "inwards",
         "Each reason has its points of a bar and its side of the market."),
    Rule("ENTRY_FILL", 8, FILES,
         "symbol, side, order type, lot grid and smallest and largest quantity are kept",
         "The trade list against instrument, position policy and entry rule of the manifest."),
    Rule("INDEP_PNL", 9, FILES, "gross = side x quantity x multiplier x (exit - entry)", "Half of 1e-8 is allowed."),
    Rule("SL_TP_CALC", 10, BETTER,
         "stop and target lie where rules and ATR put them, rounded to the tick towards the entry",
         "A level says between which distances it was before rounding; the rule's distance must be one of them."),
    Rule("EQUITY_WALK", 11, BETTER,
         "cash and position follow from the fills; equity is cash while flat, to the last digit",
         "Postings are added up as decimals and compared with each point."),
    Rule("EQUITY_FINAL", 12, FILES, "the account ends with start + sum of net results", "An equality of decimals."),
    Rule("DRAWDOWN_WALK", None, FILES, "the drawdown column is the fall from the highest point so far",
         "The curve walked again."),
    Rule("SESSIONS", None, FILES, "the equity of a session is that of its last point",
         "By UTC day on a market that never closes; else some point must have it."),
    Rule("SUMMARY", 13, FILES, "the figures of the summary agree among themselves",
         "Without looking at the trades: end equity, net, count, win rate, profit factor."),
    Rule("NO_OVERLAP", 14, FILES, "decision, entry, exits are in order, one position at a time",
         "Instants of the trade list."),
    Rule("LEGS", None, BETTER,
         "legs share their entry; a signal closes its part, a ladder step its share, all else everything",
         "Steps of a ladder need bars."),
    Rule("EXCHANGE_FORMULA", 15, FILES, "a position's result is the money that its fills moved",
         "Proceeds less cost less fees plus funding, from `fills.csv` alone."),
    Rule("METRIC_COUNTS", 16, FILES, "trades, wins, losses, longs and shorts are those of the trade list",
         "Counted again."),
    Rule("METRIC_PNL", 17, FILES, "net, fees, funding, slippage and expectancy are those of the trade list",
         "Added up again."),
    Rule("METRIC_RATES", 18, FILES, "win rate and profit factor follow from the net results", "Computed again."),
    Rule("METRIC_EXTREMES", 19, FILES, "largest win and loss, gross sums and longest streaks follow from the trades",
         "Skipped where the result has none of them."),
    Rule("METRIC_DRAWDOWN", 20, FILES, "the largest drawdown is that of the equity points",
         "Found in float64, computed in decimals."),
    Rule("METRIC_RISK", 21, FILES, "Sharpe and Sortino ratio follow from the session returns",
         "Null under 20 sessions; skipped without sessions."),
    Rule("METRIC_DURATION", 22, FILES, "the mean length is that of the trade list", "Computed again."),
    Rule("METRIC_QUALITY", 23, FILES, "recovery factor = net / largest fall in money",
         "Skipped where the result has none."),
    Rule("METRIC_GROWTH", None, FILES, "return and growth a year follow from start, end and time",
         "Years of 365.25 days; null under 30 days."),
    Rule("METRIC_EXPOSURE", None, FILES, "exposure is the share of points with an open position", "Counted again."),
    Rule("SLIPPAGE", None, BETTER,
         "the memo of slippage, impact included, is the price's distance from the unslipped one; legs share that of "
         "the entry",
         "Without bars only the sums."),
    Rule("BARS_MATCH", None, BARS, "the bars given are those of the manifest", "Their number and their range."),
    Rule("OHLCV_VALID", 24, BARS,
         "prices, volumes and times of all bars are sound; bars that are not serve no other check",
         "Low <= open, close <= high, volume >= 0, times rising."),
    Rule("MTF_AGGREGATION", 30, BARS,
         "higher bars are the aggregates of base bars; for 24/7 markets none is missing or too many",
         "Prices to the bit; skipped where the run has no timeframe above its base."),
    Rule("SIZE", None, BARS,
         "the quantity follows from equity (in a playbook: from the share), sizing model, leverage, caps and lot; the "
         "margin it needs was free",
         "Settled cash of cash accounts, contract margin of futures, Regulation T and day trades of margin accounts "
         "included. Skipped for a strategy that sizes its orders itself, and where instruments share an account, whose "
         "own check is PORTFOLIO_SIZE."),
    Rule("ENTRY_PRICE", None, BARS,
         "the entry's price is the one of the bar: open with slippage, limit, or open through the limit",
         "A price may differ by 1e-12 of itself."),
    Rule("ENTRY_TIME", 27, BARS,
         "the entry is in the first base bar after the decision that allowed it; limits expire; intrabar, no execution "
         "bar decides too many",
         "Decisions are closes of execution bars, or intrabar of base bars."),
    Rule("EXIT_FILL", 25, BARS,
         "the exit's price is the level or the open or close, with slippage where it takes, or the bankruptcy price",
         "A price may differ by 1e-12 of itself."),
    Rule("EXIT_TIME", None, BARS, "a signal is carried out at once; data ends or breaks where an exit says so",
         "Base bars around each exit."),
    Rule("TP_SL_FIRST", 26, BARS,
         "no earlier base bar had reached stop or next target as they stood then; in one bar gap, order at the open, "
         "stop, targets count in this order",
         "All bars held against the levels that counted in each."),
    Rule("STOP_PATH", None, BARS,
         "trailing and break-even put the stop where it stood at each exit, and the exit's reason names who did",
         "Followed at every base close, both ways where float64 may see a border either way."),
    Rule("EXCURSION", None, BARS, "mae and mfe lie between what was certainly and possibly held",
         "Extremes of the bars held."),
    Rule("BARS_HELD", None, BARS, "the length of a trade is the execution bars that closed in it", "Counted again."),
    Rule("EQUITY_POINTS", None, BARS, "there is one point each execution bar", "From the first that could trade on."),
    Rule("EQUITY_MARK", None, BARS, "an open position is valued at the close of its point", "Half of 1e-8 is allowed."),
    Rule("METRIC_DRAWDOWN_INTRABAR", None, BARS,
         "the deepest fall over all base closes and the final account", "The account valued at every base close."),
    Rule("STOP_REASON", None, BARS,
         "the run ended at the first base bar that reached a limit, at a liquidation, or with the data",
         "Both limits at every base close."),
    Rule("FUNDING", 28, BETTER, "each leg's funding is its share of what rate, price and hours of holding give",
         "At recorded rates and mark prices where the run had some, else at the fixed rate. Dividends and borrow fees "
         "are paid like it; skipped where borrow rates were recorded and not given."),
    Rule("LIQ_DISTANCE", 29, BARS,
         "no bar went beyond the liquidation price unheeded, none was invented, each cost the margin and no more; "
         "entries kept their distance",
         "Skipped for instruments other than perpetuals."),
    Rule("SIGNAL_REPLAY", 31, BARS,
         "the rules of the play, read again, ask for every entry and every exit by signal, and for none that is not "
         "there; the run began when it was warmed up",
         "With indicators, structures and a condition language of the audit's own, over prices without the splits "
         "known by then. Skipped for strategies in Python and plug-in indicators, orders filled in pieces, a queue of "
         "volume, stops that rest, and extended hours."),
    Rule("NO_LOOKAHEAD", 32, BARS, "a sample of decisions is the same on bars that end with them",
         "Everything is computed again for each decision of the sample, whose size the detail tells."),
)  # fmt: skip
"""In the order in which the audit runs them."""

SHARED_RULES = (
    Rule("PORTFOLIO_LOAD", None, FILES, "the files of the account and of its instruments can be read",
         "Alone where it fails."),
    Rule("PORTFOLIO_TRADES", None, FILES, "each row of the account is one of an instrument, and none is missing",
         "Row by row; numbers count over all instruments."),
    Rule("PORTFOLIO_EQUITY", None, FILES, "equity is the start and what each instrument had made, at each point",
         "At the points that all instruments have."),
    Rule("PORTFOLIO_FINAL", None, FILES, "the account ends with its start and all results", "An equality of decimals."),
    Rule("PORTFOLIO_STOP", None, FILES,
         "no point reached a limit before the account stopped, and nothing was decided after it",
         "Limits are looked at where the account has points, not at each base close between them."),
    Rule("PORTFOLIO_SIZE", None, BARS,
         "each quantity follows from equity and free margin of the account at its decision",
         "Margin of the others' positions from their files; where limits may have rested and died, a size may be "
         "smaller than the rule gives."),
    Rule("PLAYBOOK_LOAD", None, FILES, "the files of the playbook and of its plays can be read",
         "Alone where it fails."),
    Rule("PLAYBOOK_EQUITY", None, FILES, "the end equity is the capital and what each play has gained",
         "An equality of decimals."),
    Rule("PLAYBOOK_ATTRIBUTION", None, FILES, "what is attributed to a play is the net of its trades",
         "Summed over all regimes."),
    Rule("PLAYBOOK_OWNERS", None, FILES, "no two plays held one instrument at the same time",
         "By the times of entries and exits."),
    Rule("PLAYBOOK_ACTIVE", None, FILES, "a play entered only while fewer others than allowed were in the market",
         "Positions are counted, entries at work are not."),
    Rule("PLAYBOOK_SHARES", None, FILES, "every trade was decided while its play had a share", "By `regimes.csv`."),
    Rule("PLAYBOOK_CAPITAL", None, FILES, "shares never sum to more than the capital, probabilities to 1",
         "Exposure and correlation at an entry need the bars of all plays: they are not derived again."),
)  # fmt: skip
"""Of runs of several instruments, and of playbooks."""

SPECIFIED = {rule.name: rule.number for rule in RULES if rule.number is not None}
"""The 32 checks of the specification, by name."""
