# A @scenario of the package, since `harness page --probe` makes it, too.
from harness.call.page_probes import page_left as page_left
