"""A real browser: Chromium, driven by Playwright, with a recorder inside of each page and a voice of ours."""
