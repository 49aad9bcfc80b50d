"""`python -m cli VERB`."""

from cli.app import main

main()
