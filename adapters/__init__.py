"""What touches the outside: the embedded server, logs, database, outbox, counterparts, Temporal client.

Touch it to reach another system, or the same one in another way. An adapter knows the domain (`aftersales`)
and its own library, nothing else; rules about orders do not live here.
"""
