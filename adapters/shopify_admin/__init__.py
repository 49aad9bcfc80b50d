"""Shopify as a counterpart: commands carried out by the GraphQL Admin API.

`counterpart` says what Shopify does with each command, one file beside it does one kind of thing, `client` asks, and
`documents/` holds every query and mutation; tests check each against Shopify's published schema. Touch it when Shopify
is to do more, or when a newer version of its API is taken.
"""
