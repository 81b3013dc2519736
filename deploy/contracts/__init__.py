"""The events' contracts as others read them: JSON Schemas, an AsyncAPI document, and what may change in them."""
