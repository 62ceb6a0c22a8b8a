"""The reference page: a web page that makes a call as a page should, and can be made to do it wrongly."""
