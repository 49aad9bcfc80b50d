"""A whole installation of real processes, for tests of how its parts work together and get along without each other.

`installation` starts and kills the parts, `senders` are the shops' systems, `customers` the people who order, return
and complain, `books` compares at the end what every side has written down.
"""
