"""The pure domain: events, orders, policy, letters, routing, outcomes.

No input or output, no clock and no temporalio in here, so that every rule can be tested by calling it. Touch it when a
rule's data or arithmetic changes; what happens when belongs to `workflows/`, who is told belongs to `adapters/`.
"""
