"""The HTTP door: order events, platforms' webhooks and mail come in; health, metrics and the contract are shown.

`app.build_app` puts it together from a `door.Door`, `serving.serve` runs it. `events`, `platforms`, `mail` and
`attachments` are its routes; who may speak is in `senders` and `authenticity`. Touch it when what comes in over HTTP
changes; what an event means is the intake's business.
"""
