"""The effects: letters, commands, outcomes, and the screening of replies, one file each.

Each is a class that takes its ports by constructor. Touch this folder when an effect itself changes; when it happens
belongs to `workflows/`, how it reaches the outside belongs to `adapters/`.
"""
