"""`python -m flowcrm` is the same as `flowcrm`."""

from flowcrm.ops.cli import main

main()
