"""Write src/evenkeel/data/calendars/*.json: library holidays plus our corrections, each with its source.

    python tools/make_calendars.py            write the tables
    python tools/make_calendars.py --check    exit 1 if the committed tables differ

Needs the development environment (pandas_market_calendars). Where sources disagree about a futures session and none
is recorded, the longer session wins: a minute without a trade is normal there, a trade outside a session is a fault.
docs/develop/decisions/0002-calendars.md tells the reasons.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas_market_calendars as pmc

FOLDER = Path(__file__).resolve().parent.parent / "src" / "evenkeel" / "data" / "calendars"
LAST = date(2030, 12, 31)

SOURCES = {
    "pmc": f"pandas_market_calendars {pmc.__version__}, past days as listed there, later ones by its rules",
    "rule": "derived by rule from the entries of other sources",
    "lean": "market-hours database of QuantConnect LEAN, read 2026",
    "recorded": "recorded bars that trade until then",
    "cme-2001-09-13": "exchange notice 2001-09-13: all suspended at 09:15 on 2001-09-11, US equity index stays shut",
    "cme-2007-08-20": "exchange notice 2007-08-20: NYMEX and COMEX products trade until 16:15 on US holidays",
    "broker-2009-07": "broker's holiday schedule of July 2009: NYMEX and COMEX products stop at 12:30",
    "broker-2013-07": "broker's holiday schedule of July 2013: NYMEX and COMEX products stop at 12:15",
    "cme-2012-10-29": "exchange notice 2012-10-29: US equity index closes at 08:15 on 29 and 30 October",
    "cme-2012-11-18": "exchange notice of November 2012: from 2012-11-19 a trade date ends at 16:15, not 15:15",
    "cme-2015-09-21": "exchange notice of September 2015: equity index and metals end at 16:00 from 2015-09-21",
    "cme-2021-06-28": "no halt at 15:15 any more from trade date 2021-06-28 (as in pandas_market_calendars CME_Equity)",
    "cme-2018-12-05": "exchange notice 2018-12-02: US equity index closes at 08:30 on the day of mourning",
    "cme-2025-01-09": "exchange notice 2024-12-30: US equity index closes at 08:30 on the day of mourning",
    "jobs-report": "Good Friday with the US jobs report: an abbreviated session, otherwise closed",
    "comex-pit": "gold's open-outcry hours 08:20-13:30 New York, to which settlement at 13:30 still refers",
    "fx": "convention of the interbank market: the week runs from Sunday 17:00 to Friday 17:00 New York",
    "arca": "trading hours of NYSE Arca: early session from 04:00, late session for four hours after the close",
    "cboe": "the index follows the options, which trade until 16:15 New York; its published history has the holidays",
    "contract": "equity index day session 08:30-15:00 Chicago, the hours of the stock exchange",
}

FIXED_NAMES = {
    date(2001, 9, 11): "Attacks of 11 September", date(2001, 9, 12): "Attacks of 11 September",
    date(2001, 9, 13): "Attacks of 11 September", date(2001, 9, 14): "Attacks of 11 September",
    date(1994, 2, 11): "Snowstorm", date(1996, 1, 8): "Snowstorm",
    date(1997, 10, 27): "Circuit breaker", date(2005, 6, 1): "System failure",
    date(1994, 4, 27): "Mourning for Nixon",
    date(2004, 6, 11): "Mourning for Reagan", date(2007, 1, 2): "Mourning for Ford",
    date(2012, 10, 29): "Hurricane Sandy", date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): "Mourning for Bush", date(2025, 1, 9): "Mourning for Carter",
}  # fmt: skip


@dataclass
class Table:
    """A calendar under construction: `changes[day]` holds `closed`, `open`, `close` and the source of each."""

    name: str
    zone: str
    first: date
    description: str
    hours: list[dict[str, Any]]
    changes: dict[date, dict[str, Any]] = field(default_factory=dict)

    def change(self, day: date, source: str, **what: Any) -> None:
        if self.first <= day <= LAST and day.weekday() < 5:
            self.changes[day] = {"source": source, **what}

    def write(self) -> str:
        grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
        for day, what in sorted(self.changes.items()):
            head = {"name": what.pop("name", None) or holiday_name(day), **what}
            grouped[(json.dumps(head, sort_keys=True), head["name"])].append(day.isoformat())
        exceptions = [{**json.loads(head), "days": days} for (head, _), days in grouped.items()]
        exceptions.sort(key=lambda each: (each["days"][0], each["name"]))
        used = {each["source"] for each in [*exceptions, *self.hours]}
        lines = {
            "schema": "evenkeel.calendar/1", "name": self.name, "zone": self.zone,
            "first_day": self.first.isoformat(), "last_day": LAST.isoformat(), "description": self.description,
            "sources": {key: text for key, text in SOURCES.items() if key in used},
        }  # fmt: skip
        body = json.dumps(lines, indent=1, ensure_ascii=False)[:-2]
        return f"{body},\n{_rows('hours', self.hours)},\n{_rows('exceptions', exceptions)}\n}}\n"


def _rows(key: str, rows: list[dict[str, Any]]) -> str:
    return f' "{key}": [\n' + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows) + "\n ]"


def holiday_name(day: date) -> str:
    """Return the name of a US holiday, or of the day beside it, from its date."""
    if day in FIXED_NAMES:
        return FIXED_NAMES[day]
    for around, name in ((0, ""), (1, "Day before "), (-1, "Day after ")):
        found = _holidays(day.year + (1 if day.month == 12 and around else 0)).get(day + timedelta(days=around))
        found = found or _holidays(day.year).get(day + timedelta(days=around))
        if found:
            return (name + found).replace("Day before Christmas", "Christmas Eve")
    raise SystemExit(f"{day} {day:%a} has no name")


def _holidays(year: int) -> dict[date, str]:
    def observed(day: date) -> date:
        return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))

    found = {
        nth(year, 1, 0, 3): "Martin Luther King Day", nth(year, 2, 0, 3): "Presidents' Day",
        easter(year) - timedelta(days=2): "Good Friday", nth(year, 6, 0, 1) - timedelta(days=7): "",
        observed(date(year, 7, 4)): "Independence Day", date(year, 7, 4): "Independence Day",
        nth(year, 9, 0, 1): "Labor Day", nth(year, 11, 3, 4): "Thanksgiving",
        observed(date(year, 12, 25)): "Christmas", date(year, 12, 25): "Christmas",
        observed(date(year, 1, 1)): "New Year", date(year, 1, 1): "New Year",
        observed(date(year, 6, 19)): "Juneteenth",
    }  # fmt: skip
    last_monday = date(year, 5, 31) - timedelta(days=date(year, 5, 31).weekday())
    found[last_monday] = "Memorial Day"
    return {day: name for day, name in found.items() if name}


def nth(year: int, month: int, weekday: int, count: int) -> date:
    """Return the `count`-th such weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))


def easter(year: int) -> date:
    """Return Easter Sunday by the anonymous Gregorian computation."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    w = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * w) // 451
    month, day = divmod(h + w - 7 * m + 114, 31)
    return date(year, month, day + 1)


def weekdays(first: date, last: date = LAST) -> Iterable[date]:
    """Yield every Monday to Friday."""
    for number in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number)
        if day.weekday() < 5:
            yield day


def library(name: str, zone: str, first: date) -> dict[date, tuple[str, str] | None]:
    """Return open and close wall times of each weekday in a library calendar; None is closed."""
    schedule = pmc.get_calendar(name).schedule(str(first), str(LAST))
    opens = schedule["market_open"].dt.tz_convert(zone).dt.strftime("%H:%M")
    closes = schedule["market_close"].dt.tz_convert(zone).dt.strftime("%H:%M")
    found = {day.date(): (opens[day], closes[day]) for day in schedule.index}
    return {day: found.get(day) for day in weekdays(first)}


def from_library(table: Table, name: str, regular: tuple[str, str]) -> None:
    """Take holidays and early closes over from a library.

    Late opens are left out: on such a day there was no trade at first, which is no fault, and a daily bar stamped with
    the regular open stays inside its session.
    """
    for day, times in library(name, table.zone, table.first).items():
        if times is None:
            table.change(day, "pmc", closed=True)
        elif times[1] != regular[1]:
            table.change(day, "pmc", close=times[1])


def good_fridays(table: Table, *, close: str, jobs_report: set[int]) -> None:
    """Closed, except in the years when the jobs report falls on it."""
    for year in range(table.first.year, LAST.year + 1):
        day = easter(year) - timedelta(days=2)
        if year in jobs_report:
            table.change(day, "jobs-report", close=close)
        else:
            table.change(day, "pmc", closed=True)


def reopen_at_five(table: Table, until: date) -> None:
    """Before `until` a session began at 15:30 of the day before; after a holiday or short day it begins at 17:00."""
    short = set(table.changes)
    for day in weekdays(table.first, until):
        what = table.changes.get(day, {"source": "rule", "name": "Day after a short session"})
        if day - timedelta(days=1) in short and not what.get("closed"):
            table.changes[day] = {**what, "open": "17:00-1d"}


JOBS_REPORT_YEARS = {2007, 2010, 2012, 2015, 2021, 2023, 2026}


def nyse() -> Table:
    table = Table(
        "NYSE", "America/New_York", date(1990, 1, 1), "New York Stock Exchange and Nasdaq, regular hours",
        [{"from": "1990-01-01", "days": "Mon-Fri", "segments": [["09:30", "16:00"]], "source": "pmc"}],
    )  # fmt: skip
    from_library(table, "NYSE", ("09:30", "16:00"))
    return table


def nyse_extended(stocks: Table) -> Table:
    """The early and the late session around regular hours; a late session lasts four hours, whenever they close."""
    table = Table(
        "NYSE_EXTENDED", stocks.zone, stocks.first,
        "US stocks, regular and extended hours",
        [{"from": "1990-01-01", "days": "Mon-Fri", "segments": [["04:00", "20:00"]], "source": "arca"}],
    )  # fmt: skip
    for day, what in stocks.changes.items():
        if what.get("closed"):
            table.change(day, "pmc", closed=True)
        else:
            hour, minute = what["close"].split(":")
            table.change(day, "arca", close=f"{int(hour) + 4:02d}:{minute}")
    return table


def cboe_vix(stocks: Table) -> Table:
    """The index is final a quarter of an hour after stocks close, and since 2022 exists on most US holidays."""
    table = Table(
        "CBOE_VIX", stocks.zone, stocks.first, "Cboe Volatility Index, regular hours; since May 2022 also US holidays",
        [{"from": "1990-01-01", "days": "Mon-Fri", "segments": [["09:30", "16:15"]], "source": "cboe"}],
    )  # fmt: skip
    for day, what in stocks.changes.items():
        if not what.get("closed"):
            hour, minute = what["close"].split(":")
            later = int(hour) * 60 + int(minute) + 15
            table.change(day, "cboe", close=f"{later // 60:02d}:{later % 60:02d}")
        elif day < date(2022, 5, 30) or holiday_name(day) in ("Good Friday", "Christmas", "New Year"):
            table.change(day, "pmc", closed=True)
    return table


def cme_equity() -> Table:
    night = "17:00-1d"
    table = Table(
        "CME_EQUITY", "America/Chicago", date(2000, 1, 1), "CME Globex, equity index futures",
        [
            {"from": "2000-01-01", "days": "Mon", "segments": [[night, "15:15"]], "source": "cme-2012-11-18"},
            {"from": "2000-01-01", "days": "Tue-Fri", "segments": [["15:30-1d", "16:30-1d"], [night, "15:15"]],
             "source": "cme-2012-11-18"},
            {"from": "2012-11-19", "days": "Mon-Fri", "segments": [[night, "15:15"], ["15:30", "16:15"]],
             "source": "cme-2012-11-18"},
            {"from": "2015-09-21", "days": "Mon-Fri", "segments": [[night, "15:15"], ["15:30", "16:00"]],
             "source": "cme-2015-09-21"},
            {"from": "2021-06-28", "days": "Mon-Fri", "segments": [[night, "16:00"]], "source": "cme-2021-06-28"},
        ],
    )  # fmt: skip
    from_library(table, "CME Globex Equity", ("17:00", "16:00"))
    good_fridays(table, close="08:15", jobs_report=JOBS_REPORT_YEARS)
    for year in range(2000, 2012):
        # A schedule of 2006 has the regular close on 3 July, one of 2012 the early one.
        if table.changes.get(date(year, 7, 3), {}).get("close") == "12:15":
            del table.changes[date(year, 7, 3)]
    table.change(date(2001, 9, 11), "cme-2001-09-13", close="09:15")
    for day in (12, 13, 14):
        table.change(date(2001, 9, day), "cme-2001-09-13", closed=True)
    for day in (29, 30):
        table.change(date(2012, 10, day), "cme-2012-10-29", close="08:15")
    table.change(date(2018, 12, 5), "cme-2018-12-05", close="08:30")
    table.change(date(2025, 1, 9), "cme-2025-01-09", close="08:30")
    reopen_at_five(table, date(2012, 11, 16))
    return table


def cme_metals() -> Table:
    table = Table(
        "CME_METALS", "America/Chicago", date(2000, 1, 1),
        "CME Globex, COMEX metals; before December 2006 gold traded on the floor and NYMEX ACCESS, within these hours",
        [
            {"from": "2000-01-01", "days": "Mon-Fri", "segments": [["17:00-1d", "16:15"]], "source": "cme-2007-08-20"},
            {"from": "2015-09-21", "days": "Mon-Fri", "segments": [["17:00-1d", "16:00"]], "source": "cme-2015-09-21"},
        ],
    )  # fmt: skip
    from_library(table, "CMEGlobex_Metals", ("17:00", "16:00"))
    for day, what in list(table.changes.items()):
        if what.get("close") == "12:00" and day.year < 2015:
            _old_metals_holiday(table, day)
    for year in range(2022, LAST.year + 1):
        table.change(nth(year, 9, 0, 1), "lean", close="13:30")
        _friday_holidays(table, year)
    for year in range(2024, LAST.year + 1):
        christmas_eve(table, year)
        if year >= 2025:
            table.change(nth(year, 11, 3, 4) + timedelta(days=1), "lean", close="13:45")
    return table


def _old_metals_holiday(table: Table, day: date) -> None:
    if day.year < 2009:
        del table.changes[day]
    elif day == date(2009, 7, 3):
        table.change(day, "broker-2009-07", close="12:30")
    else:
        table.change(day, "broker-2013-07", close="12:15")


def _friday_holidays(table: Table, year: int) -> None:
    """A holiday on a Friday ends the week at 12:00; gold's recorded bars of 2025-07-04 end there."""
    for day in (date(year, 6, 19), date(year, 7, 4)):
        observed = day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))
        if observed.weekday() == 4:
            table.change(observed, "recorded" if year == 2025 else "lean" if year <= 2027 else "rule", close="12:00")


def christmas_eve(table: Table, year: int) -> None:
    """Close at 12:45, unless the day is Christmas as observed."""
    if not table.changes.get(date(year, 12, 24), {}).get("closed"):
        table.change(date(year, 12, 24), "lean", close="12:45")


def cme_fx() -> Table:
    table = Table(
        "CME_FX", "America/Chicago", date(2000, 1, 1), "CME Globex, currency futures",
        [{"from": "2000-01-01", "days": "Mon-Fri", "segments": [["17:00-1d", "16:00"]], "source": "pmc"}],
    )  # fmt: skip
    from_library(table, "CMEGlobex_FX", ("17:00", "16:00"))
    good_fridays(table, close="10:15", jobs_report=JOBS_REPORT_YEARS)
    for year in range(2022, LAST.year + 1):
        _friday_holidays(table, year)
    for year in range(2025, LAST.year + 1):
        christmas_eve(table, year)
        table.change(nth(year, 11, 3, 4) + timedelta(days=1), "lean", close="13:45")
    return table


def interbank_fx() -> Table:
    table = Table(
        "FX", "America/New_York", date(1990, 1, 1), "Interbank currencies: a trade date ends at 17:00 New York",
        [{"from": "1990-01-01", "days": "Mon-Fri", "segments": [["17:00-1d", "17:00"]], "source": "fx"}],
    )  # fmt: skip
    for year in range(1990, LAST.year + 1):
        table.change(date(year, 12, 25), "fx", closed=True)
        table.change(date(year, 1, 1), "fx", closed=True)
    return table


def day_session(whole: Table, name: str, hours: tuple[str, str], source: str, closed: Iterable[date]) -> Table:
    """Return the day session of a futures table: its exceptions cut the hours, and `closed` days have none."""
    table = Table(
        name, whole.zone, whole.first, f"{whole.description}: day session",
        [{"from": whole.first.isoformat(), "days": "Mon-Fri", "segments": [list(hours)], "source": source}],
    )  # fmt: skip
    for day, what in whole.changes.items():
        close = what.get("close")
        if what.get("closed") or (close and close <= hours[0]):
            table.change(day, what["source"], closed=True)
        elif close and close < hours[1]:
            table.change(day, what["source"], close=close)
    for day in closed:
        if not table.changes.get(day, {}).get("closed"):
            table.change(day, "rule", closed=True)
    return table


def metals_floor_holidays(metals: Table) -> Iterable[date]:
    """Yield the US holidays on which Globex trades but the day session does not exist."""
    for day in weekdays(metals.first):
        name = _holidays(day.year).get(day)
        started = {"Juneteenth": 2022}.get(name or "", metals.first.year)
        if name and day.year >= started and not (name == "New Year" and day.month == 12):
            yield day


def tables() -> list[Table]:
    stocks, equity, metals = nyse(), cme_equity(), cme_metals()
    shut = [day for day, what in stocks.changes.items() if what.get("closed")]
    return [
        stocks, nyse_extended(stocks), cboe_vix(stocks), equity, metals, cme_fx(), interbank_fx(),
        day_session(equity, "CME_EQUITY_RTH", ("08:30", "15:00"), "contract", shut),
        day_session(metals, "CME_METALS_RTH", ("07:20", "12:30"), "comex-pit", metals_floor_holidays(metals)),
    ]  # fmt: skip


def main() -> int:
    stale = []
    for table in tables():
        path, text = FOLDER / f"{table.name}.json", table.write()
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"stale: {', '.join(stale)}; run python tools/make_calendars.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
