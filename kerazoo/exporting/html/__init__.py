"""A trained model as one HTML page that computes by itself: draw a digit, judge a text, write on."""

from kerazoo.exporting.html.page import write_html, write_packaged

__all__ = ["write_html", "write_packaged"]
