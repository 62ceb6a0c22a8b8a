# A @scenario of the package, since `harness page --probe` makes it, too.
from harness.call.page_probes import page_double_click as page_double_click
