"""The run as a page: verdict, causes, requirements, calls to see and to hear, measurements; or its load."""

from harness.report.html.observing import ReportPage
from harness.report.html.page import FILE, as_html, as_watch_html, write_html, write_load_html

__all__ = ["FILE", "ReportPage", "as_html", "as_watch_html", "write_html", "write_load_html"]
