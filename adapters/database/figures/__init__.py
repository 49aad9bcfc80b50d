"""The figures of reports (`spec/processes.md` §20), by SQL that SQLite and PostgreSQL read alike.

Touch it when a figure is computed in another way or a new one is wanted; `aftersales/figures.py` says what each is.
The database adds up, by slices of time in which no rate changes (`slices.py`), in whole numbers (`exact.py`), so that
neither the order of rows nor their number changes a sum. Here sums are converted and put together: `goods.py` return
rates and series, `places.py` what is behind them, `service.py` times and shares, `letters.py` and `claims.py` letters
and their variants, `warned.py` limits. `view.py` is what others call.
"""

from adapters.database.figures.view import FiguresView

__all__ = ["FiguresView"]
