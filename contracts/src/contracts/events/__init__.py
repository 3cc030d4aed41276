"""Payloads of the events that travel between nodes and between the services of a node.

One frozen model per event type and version. The models are the source of truth: JSON Schemas,
golden examples and the AsyncAPI document are generated from them.
"""
