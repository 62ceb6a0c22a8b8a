"""The run as a page: verdict, causes, requirements, calls to see and to hear, measurements."""

from harness.report.html.page import FILE, as_html, write_html

__all__ = ["FILE", "as_html", "write_html"]
