"""What a web page must do for its part of a call, from the button to the last track that is stopped."""

# ruff: noqa: I001  (in the order of a call: a need is declared before what needs it)
from harness.requirements.page import health as health
from harness.requirements.page import microphone as microphone
from harness.requirements.page import offering as offering
from harness.requirements.page import sending as sending
from harness.requirements.page import talking as talking
from harness.requirements.page import playing as playing
from harness.requirements.page import ending as ending
from harness.requirements.page import losing as losing
